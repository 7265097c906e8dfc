CREATE INDEX IF NOT EXISTS intent_by_assignee ON intent (merchant, assignee, id)
    WHERE assignee IS NOT NULL
