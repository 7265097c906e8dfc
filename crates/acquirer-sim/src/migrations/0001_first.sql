CREATE TABLE IF NOT EXISTS book (
    trace {int} NOT NULL, original {int} NOT NULL, merchant {bytes} NOT NULL,
    amount {int} NOT NULL, currency {text} NOT NULL, refunded {int} NOT NULL,
    standing {text} NOT NULL, scenario {text} NOT NULL, resolve_at {int}, at {int} NOT NULL,
    PRIMARY KEY (trace),
    CHECK (refunded >= 0 AND refunded <= amount)
) {table};
