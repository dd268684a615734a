-- +goose Up
-- What was written to a peer and never reached it, for counts of what did. Few rows come into these states.
CREATE INDEX outbox_unsent ON outbox(leg, from_agent) WHERE state IN ('cancelled', 'expired');

-- +goose Down
SELECT 1;
