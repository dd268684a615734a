-- +goose Up
-- What is open of each agent, among all the sessions that it had.
CREATE INDEX session_open ON session(agent, pk) WHERE closed_at IS NULL;

-- Up to which number the leg's receipts have gone to the peer: a job at rest is dialled for those above.
ALTER TABLE leg ADD COLUMN receipts_told INTEGER NOT NULL DEFAULT 0;

-- +goose Down
SELECT 1;
