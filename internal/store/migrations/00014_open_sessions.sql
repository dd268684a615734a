-- +goose Up
-- What is open of each agent, among all the sessions that it had.
CREATE INDEX session_open ON session(agent, pk) WHERE closed_at IS NULL;

-- +goose Down
SELECT 1;
