CREATE TABLE IF NOT EXISTS adjustment (
    merchant {bytes} NOT NULL, payment {bytes} NOT NULL, amount {int} NOT NULL,
    PRIMARY KEY (merchant, payment)
) {table}
