-- +goose Up
-- What was written to a peer and never reached it, for counts of what did. Few rows come into these states.
CREATE INDEX outbox_unsent ON outbox(leg, from_agent) WHERE state IN ('cancelled', 'expired');

-- What the agents of a team may take together, and by how much a yes raises it: JSON of two groove.AgentBudget.
CREATE TABLE team_budget(team TEXT PRIMARY KEY, budget TEXT NOT NULL) WITHOUT ROWID;

-- +goose Down
SELECT 1;
