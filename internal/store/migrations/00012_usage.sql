-- +goose Up
-- Why the agent's session is to be exchanged for a new one ('': it is not), and what its budget was raised to (JSON of
-- groove.AgentBudget, '': as its options say).
ALTER TABLE agent ADD COLUMN rotate TEXT NOT NULL DEFAULT '';
ALTER TABLE agent ADD COLUMN budget TEXT NOT NULL DEFAULT '';

-- What a session that was rotated left to the next one.
ALTER TABLE session ADD COLUMN brief TEXT NOT NULL DEFAULT '';

-- Turns of a time, for sums by day.
CREATE INDEX turn_at ON turn(at);

-- +goose Down
SELECT 1;
