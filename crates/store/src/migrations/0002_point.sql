ALTER TABLE intent ADD COLUMN refund_of {bytes};

ALTER TABLE refund ADD COLUMN intent {bytes};

CREATE TABLE IF NOT EXISTS payment_reference (
    merchant {bytes} NOT NULL, reference {text} NOT NULL, payment {bytes} NOT NULL,
    made_at {int} NOT NULL,
    PRIMARY KEY (merchant, reference, payment)
) {table};

CREATE TABLE IF NOT EXISTS one_time_grant (
    merchant {bytes} NOT NULL, digest {text} NOT NULL, kind {text} NOT NULL,
    detail {text} NOT NULL, expires_at {int} NOT NULL,
    PRIMARY KEY (merchant, digest)
) {table};

CREATE TABLE IF NOT EXISTS trial_account (
    owner {bytes} NOT NULL, place {int} NOT NULL, account {bytes} NOT NULL,
    idle_s {int} NOT NULL, used_at {int} NOT NULL,
    PRIMARY KEY (owner, place)
) {table};

CREATE INDEX IF NOT EXISTS trial_account_by_account ON trial_account (account);
