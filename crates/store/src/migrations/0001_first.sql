CREATE TABLE IF NOT EXISTS merchant (
    id {bytes} NOT NULL, channel {text} NOT NULL, public_id {text} NOT NULL, name {text} NOT NULL,
    country {text} NOT NULL, currency {text} NOT NULL, state {text} NOT NULL,
    epoch {int} NOT NULL, fee_bps {int} NOT NULL, tax_bps {int} NOT NULL,
    endpoint_slots {int} NOT NULL, settings {text} NOT NULL, created_at {int} NOT NULL,
    PRIMARY KEY (id)
) {table};

CREATE TABLE IF NOT EXISTS directory (
    kind {text} NOT NULL, value {text} NOT NULL, merchant {bytes} NOT NULL,
    subject {text} NOT NULL,
    PRIMARY KEY (kind, value)
) {table};

CREATE TABLE IF NOT EXISTS alias (
    merchant {bytes} NOT NULL, kind {text} NOT NULL, value {text} NOT NULL,
    subject {text} NOT NULL,
    PRIMARY KEY (merchant, kind, value)
) {table};

CREATE TABLE IF NOT EXISTS endpoint (
    merchant {bytes} NOT NULL, slot {int} NOT NULL, url {text} NOT NULL,
    verified {int} NOT NULL, wants {text} NOT NULL, secret_sealed {bytes} NOT NULL,
    updated_at {int} NOT NULL,
    PRIMARY KEY (merchant, slot)
) {table};

CREATE TABLE IF NOT EXISTS terminal (
    merchant {bytes} NOT NULL, id {text} NOT NULL, model {text} NOT NULL, mode {text} NOT NULL,
    online {int} NOT NULL, ordinal {int} NOT NULL, current_intent {bytes}, last_intent {bytes},
    settings {text} NOT NULL, created_at {int} NOT NULL,
    PRIMARY KEY (merchant, id)
) {table};

CREATE UNIQUE INDEX IF NOT EXISTS terminal_by_ordinal ON terminal (merchant, ordinal);

CREATE TABLE IF NOT EXISTS intent (
    merchant {bytes} NOT NULL, id {bytes} NOT NULL, terminal {text}, assignee {text},
    amount {int} NOT NULL, currency {text} NOT NULL, card_kind {text},
    installments {int} NOT NULL, retry_declined {int} NOT NULL, scenario {text},
    luggage {text} NOT NULL, phase {text} NOT NULL, payment {bytes}, created_at {int} NOT NULL,
    changed_at {int} NOT NULL,
    PRIMARY KEY (merchant, id)
) {table};

CREATE INDEX IF NOT EXISTS intent_pool ON intent (merchant, id)
    WHERE phase = 'open' AND terminal IS NULL;

CREATE TABLE IF NOT EXISTS payment (
    merchant {bytes} NOT NULL, id {bytes} NOT NULL, lane {int} NOT NULL, number {int} NOT NULL,
    ordinal {int} NOT NULL, intent {bytes}, session {bytes}, stored_card {bytes},
    capture {int} NOT NULL, amount {int} NOT NULL, currency {text} NOT NULL,
    tip {int} NOT NULL, installments {int} NOT NULL, brand {text} NOT NULL,
    card_kind {text} NOT NULL, bin {text} NOT NULL, last_digits {text} NOT NULL,
    issuer {text} NOT NULL, expiration_month {int} NOT NULL, expiration_year {int} NOT NULL,
    entry {text} NOT NULL, trace {int} NOT NULL, state {text} NOT NULL, owner {int},
    authorization_code {text}, approved_at {int}, decline_reason {text}, reversed_by {text},
    captured {int} NOT NULL, refunded {int} NOT NULL, refund_pending {int} NOT NULL,
    fee {int} NOT NULL, tax {int} NOT NULL, settles_on {int}, luggage {text} NOT NULL,
    created_at {int} NOT NULL, changed_at {int} NOT NULL,
    PRIMARY KEY (merchant, id),
    CHECK (refunded + refund_pending <= captured AND captured <= amount),
    CHECK (refunded >= 0 AND refund_pending >= 0 AND tip >= 0 AND amount > 0)
) {table};

CREATE UNIQUE INDEX IF NOT EXISTS payment_by_number ON payment (merchant, number);
CREATE UNIQUE INDEX IF NOT EXISTS payment_by_ordinal ON payment (merchant, ordinal);
CREATE UNIQUE INDEX IF NOT EXISTS payment_by_session ON payment (merchant, session, ordinal)
    WHERE session IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS payment_by_settlement
    ON payment (merchant, settles_on, ordinal) WHERE settles_on IS NOT NULL;
CREATE INDEX IF NOT EXISTS payment_unsettled ON payment (lane, id)
    WHERE state = 'sending' OR state = 'unknown';

CREATE TABLE IF NOT EXISTS refund (
    merchant {bytes} NOT NULL, id {bytes} NOT NULL, lane {int} NOT NULL, number {int} NOT NULL,
    payment {bytes} NOT NULL, ordinal {int} NOT NULL, amount {int} NOT NULL,
    currency {text} NOT NULL, trace {int} NOT NULL, state {text} NOT NULL, owner {int},
    fee {int} NOT NULL, tax {int} NOT NULL, settles_on {int}, luggage {text} NOT NULL, created_at {int} NOT NULL, changed_at {int} NOT NULL,
    PRIMARY KEY (merchant, id)
) {table};

CREATE UNIQUE INDEX IF NOT EXISTS refund_by_number ON refund (merchant, number);
CREATE UNIQUE INDEX IF NOT EXISTS refund_by_payment ON refund (merchant, payment, ordinal);
CREATE UNIQUE INDEX IF NOT EXISTS refund_by_settlement
    ON refund (merchant, settles_on, ordinal) WHERE settles_on IS NOT NULL;
CREATE INDEX IF NOT EXISTS refund_unsettled ON refund (lane, id) WHERE state = 'sending';

CREATE TABLE IF NOT EXISTS entry (
    merchant {bytes} NOT NULL, posting {bytes} NOT NULL, line {int} NOT NULL,
    event {bytes} NOT NULL, account {text} NOT NULL, currency {text} NOT NULL,
    amount {int} NOT NULL, at {int} NOT NULL,
    PRIMARY KEY (merchant, posting, line)
) {table};

CREATE TABLE IF NOT EXISTS event (
    merchant {bytes} NOT NULL, id {bytes} NOT NULL, at {int} NOT NULL, kind {text} NOT NULL,
    subject {text} NOT NULL, data {text} NOT NULL,
    PRIMARY KEY (merchant, id)
) {table};

CREATE INDEX IF NOT EXISTS event_by_id ON event (id);

CREATE TABLE IF NOT EXISTS delivery (
    merchant {bytes} NOT NULL, id {bytes} NOT NULL, lane {int} NOT NULL, event {bytes} NOT NULL,
    slot {int} NOT NULL, url {text} NOT NULL, attempts {int} NOT NULL, state {text} NOT NULL,
    next_at {int}, request {text} NOT NULL, response {text} NOT NULL, created_at {int} NOT NULL,
    PRIMARY KEY (merchant, id)
) {table};

CREATE INDEX IF NOT EXISTS delivery_by_id ON delivery (id);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (lane, next_at) WHERE next_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS tail (
    merchant {bytes} NOT NULL, kind {text} NOT NULL, last {int} NOT NULL,
    PRIMARY KEY (merchant, kind)
) {table};

CREATE TABLE IF NOT EXISTS counter (
    lane {int} NOT NULL, kind {text} NOT NULL, next {int} NOT NULL,
    PRIMARY KEY (lane, kind)
) {table};

CREATE TABLE IF NOT EXISTS timer (
    merchant {bytes} NOT NULL, kind {text} NOT NULL, subject {text} NOT NULL,
    lane {int} NOT NULL, due_at {int} NOT NULL, attempts {int} NOT NULL,
    PRIMARY KEY (merchant, kind, subject)
) {table};

CREATE INDEX IF NOT EXISTS timer_due ON timer (lane, due_at);

CREATE TABLE IF NOT EXISTS idempotency (
    merchant {bytes} NOT NULL, digest {bytes} NOT NULL, outcome {text} NOT NULL,
    expires_at {int} NOT NULL,
    PRIMARY KEY (merchant, digest)
) {table};

CREATE INDEX IF NOT EXISTS idempotency_expired ON idempotency (expires_at);
