// A page that is not there: the frame alone, and a way back.

import { begin } from './chrome.js';

begin('missing');
document.getElementById('pulse').hidden = true;
