// The virtual terminal of a page: what a person sees of it and does with it.

import { live } from './browser.mjs';

/** Everything is on the page that `current` answers, or on the one that is given. */
export function terminal(current) {
  /** Waits until the terminal is there and hears of what happens. */
  async function ready(on = current()) {
    await on.locator('.device').first().waitFor();
    await live(on);
  }

  async function show(id, on = current()) {
    await on.goto(`/console/terminals/${id}`);
    await ready(on);
  }

  const screen = (name, on = current()) => on.locator(`.device[data-screen="${name}"]`).waitFor();
  const key = (name, on = current()) => on.locator(`.device [data-key="${name}"]`).click();
  const present = (entry, on = current()) => on.locator(`.counter [data-entry="${entry}"]`).click();
  /** Waits until the track beside the terminal shows the intent in that state. */
  const state = (name, on = current()) => on.locator(`.track [data-state="${name}"][aria-current="step"]`).waitFor();

  /** Drags the card to a place of the terminal, in parts of its width and height: the entry that it is read by. */
  async function drag([across, down], on = current()) {
    const [card, body] = [await on.locator('.card').boundingBox(), await on.locator('.device .body').boundingBox()];
    await on.mouse.move(card.x + card.width / 2, card.y + card.height / 2);
    await on.mouse.down();
    await on.mouse.move(body.x + body.width * across, body.y + body.height * down, { steps: 6 });
    const entry = presented(on);
    await on.mouse.up();
    return (await entry).entry;
  }

  /** What the page asks the server for when a card is presented next. */
  const presented = async (on = current()) =>
    (await on.waitForRequest((request) => request.url().endsWith('/card'))).postDataJSON();

  return { ready, show, screen, key, present, state, drag, presented };
}
