CREATE TABLE IF NOT EXISTS event_in_order (
    id {bytes} NOT NULL PRIMARY KEY, merchant {bytes} NOT NULL, at {int} NOT NULL,
    kind {text} NOT NULL, subject {text} NOT NULL, data {text} NOT NULL
) {table};

INSERT INTO event_in_order (id, merchant, at, kind, subject, data)
    SELECT id, merchant, at, kind, subject, data FROM event ORDER BY id;

DROP TABLE event;

ALTER TABLE event_in_order RENAME TO event;

CREATE TABLE IF NOT EXISTS delivery_in_order (
    id {bytes} NOT NULL PRIMARY KEY, merchant {bytes} NOT NULL, lane {int} NOT NULL,
    event {bytes} NOT NULL, slot {int} NOT NULL, url {text} NOT NULL, attempts {int} NOT NULL,
    state {text} NOT NULL, next_at {int}, request {text} NOT NULL, response {text} NOT NULL,
    created_at {int} NOT NULL
) {table};

INSERT INTO delivery_in_order
    (id, merchant, lane, event, slot, url, attempts, state, next_at, request, response, created_at)
    SELECT id, merchant, lane, event, slot, url, attempts, state, next_at, request, response,
    created_at FROM delivery ORDER BY id;

DROP TABLE delivery;

ALTER TABLE delivery_in_order RENAME TO delivery;

CREATE INDEX IF NOT EXISTS delivery_due ON delivery (lane, next_at) WHERE next_at IS NOT NULL;

ALTER TABLE intent ADD COLUMN deadline {int};

DELETE FROM timer WHERE kind = 'abandon' AND EXISTS (SELECT 1 FROM timer AS other
    WHERE other.merchant = timer.merchant AND other.subject = timer.subject
    AND other.kind = 'close_result');

UPDATE timer SET kind = 'terminal' WHERE kind IN ('abandon', 'close_result');

DROP INDEX session_by_number;

CREATE UNIQUE INDEX IF NOT EXISTS session_by_number ON session (number, merchant);
