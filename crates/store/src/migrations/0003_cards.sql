CREATE TABLE IF NOT EXISTS card (
    merchant {bytes} NOT NULL, id {bytes} NOT NULL, token {text} NOT NULL, subtoken {text},
    key_id {int} NOT NULL, wrapped_key {bytes} NOT NULL, sealed {bytes} NOT NULL,
    fingerprint {text} NOT NULL, brand {text} NOT NULL, card_kind {text} NOT NULL,
    bin {text} NOT NULL, last_digits {text} NOT NULL, issuer {text} NOT NULL,
    expiration_month {int} NOT NULL, expiration_year {int} NOT NULL, state {text} NOT NULL,
    single_use {int} NOT NULL, expires_at {int}, luggage {text} NOT NULL,
    created_at {int} NOT NULL, changed_at {int} NOT NULL,
    PRIMARY KEY (merchant, id)
) {table};

CREATE UNIQUE INDEX IF NOT EXISTS card_by_token ON card (merchant, token);
CREATE UNIQUE INDEX IF NOT EXISTS card_by_subtoken ON card (merchant, subtoken)
    WHERE subtoken IS NOT NULL;
CREATE INDEX IF NOT EXISTS card_by_key ON card (key_id);

CREATE TABLE IF NOT EXISTS session (
    merchant {bytes} NOT NULL, id {bytes} NOT NULL, lane {int} NOT NULL, number {int} NOT NULL,
    kind {text} NOT NULL, amount {int}, currency {text}, paid {int} NOT NULL,
    allow_partial {int} NOT NULL, capture {int} NOT NULL, offers_storing {int} NOT NULL,
    attempts {int} NOT NULL, attempts_max {int} NOT NULL, card {bytes}, state {text} NOT NULL,
    payment {bytes}, ended_by {text}, page_hash {text} NOT NULL, luggage {text} NOT NULL,
    expires_at {int} NOT NULL, created_at {int} NOT NULL, changed_at {int} NOT NULL,
    PRIMARY KEY (merchant, id)
) {table};

CREATE UNIQUE INDEX IF NOT EXISTS session_by_number ON session (merchant, number);

CREATE TABLE IF NOT EXISTS settlement (
    merchant {bytes} NOT NULL, day {int} NOT NULL, currency {text} NOT NULL, gross {int} NOT NULL,
    fee {int} NOT NULL, tax {int} NOT NULL, entries {int} NOT NULL, report {text},
    closed_at {int},
    PRIMARY KEY (merchant, day)
) {table};

CREATE INDEX IF NOT EXISTS settlement_by_closing ON settlement (closed_at);
