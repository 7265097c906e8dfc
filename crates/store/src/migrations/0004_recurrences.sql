CREATE TABLE IF NOT EXISTS recurrence (
    merchant {bytes} NOT NULL, id {bytes} NOT NULL, unit {text} NOT NULL, every {int} NOT NULL,
    starts_on {int} NOT NULL, zone {text} NOT NULL, time_of_day {int} NOT NULL,
    charges_max {int}, last_on {int}, url {text} NOT NULL, charges {int} NOT NULL,
    tries {int} NOT NULL, state {text} NOT NULL,
    PRIMARY KEY (merchant, id)
) {table}
