# Texts of the payment page. Plain variables only, no selectors.

## Frame

skip = Skip to content
page-title = Payment to {$shop}
page-title-store = Card for {$shop}
page-title-error = Error: {$title}
sandbox = Test mode: no money moves here
languages = Language
by = Payment page by Cobro
left-minutes = {$minutes} min left
left-label = Time left to pay
left-until = Valid until {$time}
left-soon = One minute left to pay.
over = Time is over

## Summary

order = Summary
order-total = Total to pay
order-left = Left to pay
order-paid = Paid so far
order-store = A card will be saved
order-store-lead = Nothing is charged today.
order-reference = Reference

## Form

form-pay = Pay by card
form-store = Register your card
section-amount = How much you pay now
section-card = Card
section-payer = Your details
amount-all = Everything that is left
amount-part = A part of it
amount = Amount to pay now
number = Card number
expiration = Expiry
expiration-hint = MM/YY
cvv = Security code
cvv-back = 3 digits on the back
cvv-front = 4 digits on the front
name = Name as on the card
document-type = Type of document
document = Document number
email = E-mail
email-hint = News of the payment goes there
mobile = Mobile phone
optional = optional
installments = Instalments
installments-one = 1 instalment
installments-many = {$count} instalments
save-store = I allow {$shop} to save this card and to charge it as we agree.
save-offer = Save this card for my next purchases at {$shop}.
save-hint = The number is kept encrypted; the security code is never kept.
pay = Pay {$amount}
pay-part = Pay
store = Save card
cancel = I don’t want to continue
working = Processing…
known = Details sent by the shop

## Test cards

cards = Test cards
cards-lead = They fill the form with a card published for tests.
behaviour-approved = Approves
behaviour-challenged = Asks for a code
behaviour-declined = Declines
behaviour-pending-approved = Pending, then approves
behaviour-pending-declined = Pending, then declines

## Errors

errors = Please check these details
fault-amount = Enter an amount, for example {$example}.
fault-amount-too-much = The amount is more than what is left: {$amount}.
fault-number-missing = Enter the card number.
fault-number = This is not the number of a card: check the digits.
fault-number-not-test = Test mode takes published test cards only. This one was neither kept nor used.
fault-number-not-taken = This shop does not take this brand of card.
fault-expiration-missing = Enter the card’s expiry.
fault-expiration = Enter the expiry as month and year: MM/YY.
fault-expiration-past = The card has expired.
fault-cvv-missing = Enter the security code.
fault-cvv = The code is not as long as this brand’s are: check the digits.
fault-name-missing = Enter the name as on the card.
fault-name = Enter a name, without card numbers.
fault-document-type = Choose the type of document.
fault-document-missing = Enter the document number.
fault-document = The number does not have the form of this document.
fault-email-missing = Enter your e-mail.
fault-email = Enter a whole address, for example name@mail.com.
fault-mobile = Enter at least seven digits.
fault-installments = Choose a number of instalments from the list.
fault-save = The card cannot be saved without your consent.
no-answer = There was no answer. Check your connection; before you pay again, this page will find out what happened.
forged = The page was out of date. No card was used: please try again.
challenge-late = The time to confirm is over and the card was forgotten. Please enter it again.

## Declines

declined = The payment did not go through
declined-card = {$brand} ending in {$digits}
declined-store = The card was not saved
attempts-left = Attempts left: {$count}
decline-generic = Your bank did not authorise the payment. Try another card.
decline-insufficient_funds = The card does not have enough credit or funds.
decline-call_issuer = Your bank asks you to call before it authorises the payment.
decline-security_code = The security code does not match.
decline-expired = The card has expired or the date does not match.
decline-bad_form = Some of the card’s details do not match.
decline-card_number = The bank does not recognise the card number.
decline-inactive = The card is not active. Your bank can activate it.
decline-installments = This card does not allow that many instalments.
decline-duplicate = The same payment was made a moment ago.
decline-restricted = The card cannot be used for this kind of payment.
decline-kind_not_accepted = This kind of card is not taken here.
decline-too_many_tries = There were too many attempts with this card.
decline-blocked = The card is blocked. Please ask your bank.
decline-brand_not_supported = This brand of card is not taken here.
decline-amount_rule = The amount is more than your bank allows.
decline-high_risk = The payment was declined for security: it could not be confirmed that the card is yours.
decline-authentication = The payment was declined: the code of your bank was wrong or did not come.
decline-failed = The payment could not be processed. Nothing was charged.

## Challenge

challenge = Confirm that it is you
challenge-lead = Your bank wants to make sure that the card is yours before it is used.
challenge-card = Card
otp = One-time code
otp-hint = In test mode, 12345 confirms; any other code declines.
fault-otp = Enter the code that your bank sent you.
confirm = Confirm
other-card = Use another card

## Result

approved = Payment approved
approved-lead = {$shop} has received the confirmation.
held = Payment authorised
held-lead = The money is set aside; {$shop} will take it later.
stored = Card saved
stored-lead = {$shop} can charge it as you have allowed.
waiting = Payment in progress
waiting-lead = Your bank has not answered yet. Do not pay again: this page changes by itself when it does.
ended-payer = You cancelled
ended-payer-lead = Nothing was charged.
ended-merchant = The shop cancelled this payment
ended-merchant-lead = This page is no longer available.
ended-expired = Time is over
ended-expired-lead = This page is no longer available. Go back to the shop to start again.
ended-declined = Payment declined
ended-declined-lead = The payment was not made. Go back to the shop to try again.
ended-attempts = No attempts left
ended-attempts-lead = Too many attempts failed. Go back to the shop to start again.
ended-partial = A part has been paid
ended-partial-lead = Time ran out or the rest was cancelled. What was paid stays paid; ask the shop about the rest.
unknown = There is no such page
unknown-lead = Check that the address is complete, or go back to the shop to start again.
fault-inside = Something failed on our side
fault-inside-lead = It is not known whether the payment was made. Load the page again before you try once more.
receipt = Receipt
receipt-waiting = Payment details
receipt-shop = Merchant
receipt-amount = Amount
receipt-card = Card
receipt-card-value = {$brand} ending in {$digits}
receipt-date = Date
receipt-authorization = Authorisation
receipt-number = Receipt number
receipt-installments = Instalments
print = Print
back = Return to the shop
