# Texts of the console and of the virtual terminal. Plain variables only, no selectors.

## Page frame

skip = Skip to content
nav = Sections
nav-home = Home
nav-terminals = Terminals
nav-events = Events
nav-requests = Requests
nav-deliveries = Webhooks
nav-ledger = Ledger
live = Live
live-connecting = Connecting
live-lost = Reconnecting
needs-script = This page needs JavaScript.
foot-sandbox = Sandbox: no money moves here
unreachable = The server does not answer. Is Cobro still running?
copy = Copy
copied = Copied
more = Show more
close = Close
world = World
online = Online
offline = Offline

## First page

home-title = Take payments on your own machine
home-lead = Cobro answers like the payment providers that your program already knows: same API, same signed webhooks, and a terminal that you drive from the browser or from a test.
home-open-terminals = Open the terminals
home-api = API reference
home-all-terminals = See them side by side
home-snippet = Your first charge
home-snippet-lead = Paste this into a shell. Address and credentials are already those of this server.
home-step-create = Create the payment intent with the snippet.
home-step-green = Open the terminal and press the green key: the amount appears.
home-step-card = Tap the card. Result, receipt and webhook follow at once.
home-credentials = Credentials
home-credentials-lead = They are fixed, and good only in this sandbox.
credential-token = Access token
credential-user = User
credential-integrator = Integrator token
credential-terminal = Terminal
credential-application = Application
credential-webhook = Webhook secret
credential-key = API key
credential-secret = Secret
credential-cashier = Cashier
credential-login = Login
credential-secret-key = Secret key
credential-currencies = Currencies
clock = Clock of this world
clock-advance = Advance
clock-minute = 1 min
clock-ten-minutes = 10 min
clock-hour = 1 h
clock-day = 1 day
clock-due = Came due:

## Terminals

terminals-lead = Every terminal of this world. The keyboard acts on the one under the pointer or with the focus.
terminals-none = This world has no terminals.
terminal-virtual = Virtual terminal
terminal-about = State and settings of the terminal
keypad = Keypad
key-green = Green: charge or accept
key-yellow = Yellow: clear or back
key-red = Red: cancel
flow = Payment intent
flow-none = None yet. Create one from your point of sale, or with the form below.
flow-id = Identifier
state-open = Waiting for the terminal
state-on-terminal = The terminal took it and waits for a card
state-processing = The financial institution is being asked
state-processed = Answered, and on the screen
state-finished = Finished
state-canceled = Canceled
state-abandoned = Timed out without a card
state-error = Failed
state-confirmation = Ended without a payment status: check the terminal
charge = Test charge
charge-lead = This page plays the point of sale and uses the provider's API.
charge-amount = Amount
charge-send = Send
charge-bad-amount = Type an amount, for example 15.00
settings = Settings
settings-online = Online
settings-online-hint = Offline it neither receives nor charges.
settings-pdv = PDV mode
settings-pdv-hint = Takes charges from the point of sale.
settings-autopilot = Autopilot
settings-autopilot-hint = Charges by itself, with nobody touching it.
shortcuts = Keyboard
shortcut-green = green key
shortcut-red = red key
shortcut-yellow = yellow key
shortcut-card = card

## Card

card-tap = Card: tap on the terminal
card-hint = Drag the card to the reader, the slot below or the right edge.
card-entries = Present the card
card-entry-tap = Tap
card-entry-insert = Insert
card-entry-swipe = Swipe
card-picker = Card
card-default = Approves, or as the amount says
card-published = Published test cards
card-by-holder = By the holder's name
card-holder = Test card
card-credit = Credit
card-debit = Debit
card-prepaid = Prepaid
card-voucher = Voucher
holder-apro = approved
holder-othe = general decline
holder-fund = insufficient funds
holder-call = call to authorize
holder-secu = wrong security code
holder-expi = wrong expiry date
holder-form = wrong form data
holder-cont = pending

## The terminal's screen

screen-idle = Ready to charge
screen-idle-hint = Waiting for the till
screen-previous = Last operation
screen-queued = A charge is waiting
screen-queued-hint = Press the green key
screen-queued-many = Choose by number, or green for the first
screen-total = Total
screen-present = Tap, insert or swipe the card
screen-processing = Processing
screen-wait = One moment, please
screen-keep-card = Do not remove the card
screen-authorization = Auth. {$code}
screen-print = Print the receipt?
screen-offline = No connection
screen-offline-hint = Charges wait until the network is back
screen-standalone = Standalone mode
screen-standalone-hint = Charges of the point of sale do not reach this terminal
soft-fetch = Fetch charge
soft-charge = Charge
soft-cancel = Cancel
soft-done = Done
soft-print = Print
soft-no-receipt = No
notice-nothing = No charge is waiting
notice-green-first = Green key first
notice-present = Present the card
notice-offline = No connection

## Results

outcome-approved = Approved
outcome-approved-hint = Thank you
outcome-rejected = Declined
outcome-rejected-hint = The card was declined
outcome-reversed = Reversed
outcome-reversed-hint = The charge was undone; nothing is debited
outcome-error = Error
outcome-error-hint = The operation could not be completed
outcome-pending = Pending
outcome-pending-hint = The result comes later
outcome-challenge = Verification needed
outcome-challenge-hint = The card holder has to confirm the payment
outcome-canceled = Canceled
outcome-canceled-hint = Nothing was charged
outcome-abandoned = Timed out
outcome-abandoned-hint = No card was presented
outcome-confirmation = Confirm the payment
outcome-confirmation-hint = Check it before you deliver
reason-other = The issuer declined the payment
reason-funds = Insufficient funds
reason-call = The card holder must authorize the payment
reason-code = Wrong security code
reason-expired = Wrong expiry date
reason-form = Wrong card data
reason-risk = Declined for safety
reason-disabled = Card disabled

## Receipt

receipt = Receipt
receipt-open = See the whole receipt
receipt-take = Take it
receipt-sale = Sale receipt
receipt-no-charge = Not charged
receipt-date = Date
receipt-terminal = Terminal
receipt-card = Card
receipt-type = Type
receipt-entry = Entry
receipt-entry-tap = Contactless
receipt-entry-insert = Chip
receipt-entry-swipe = Stripe
receipt-authorization = Authorization
receipt-operation = Operation
receipt-copy = Customer copy
receipt-sandbox = Test. Not a fiscal document.

## Journals

journal-empty = Nothing yet. Whatever happens shows up here at once.
events-lead = What happened in this world, newest first.
requests-lead = What programs asked and were answered, secrets left out.
deliveries-lead = Every attempt to call a webhook, with its answer. Any of them can be sent again.
column-time = Time
column-kind = Event
column-subject = Subject
column-merchant = Merchant
column-dialect = Dialect
column-status = Status
column-request = Request
column-duration = Duration
column-state = State
column-url = Address
column-answer = Answer
column-attempt = Attempt
column-next = Next
column-action = Action
delivery-waiting = Waiting
delivery-delivered = Delivered
delivery-failed = Failed
delivery-exhausted = Exhausted
replay = Replay
replayed = Sending it again
detail-data = Data
detail-event = Event
detail-request = Request
detail-answer = Answer
detail-headers = Headers
detail-body = Body
detail-no-body = (no body)
detail-no-answer = No answer yet.

## Ledger

ledger-lead = Double entry: all accounts of a currency add up to zero.
ledger-balances = Balances
ledger-postings = Latest postings
ledger-account = Account
ledger-balance = Balance
ledger-sum = Sum
ledger-balanced = Balanced
ledger-unbalanced = Out of balance
ledger-empty = No postings yet.
