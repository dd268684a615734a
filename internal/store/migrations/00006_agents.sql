-- +goose Up
-- What its user chose for an agent beyond name, program and place: groove.AgentOptions.
ALTER TABLE agent ADD COLUMN options TEXT NOT NULL DEFAULT '{}';

-- What the session was told of itself last (a hash), the peers whose unreviewed text is in its context (a JSON list
-- of rows), how full its context is as its program said (NULL: it did not), and why it was closed.
ALTER TABLE session ADD COLUMN briefed BLOB;
ALTER TABLE session ADD COLUMN tainted TEXT NOT NULL DEFAULT '[]';
ALTER TABLE session ADD COLUMN context_used INTEGER;
ALTER TABLE session ADD COLUMN context_size INTEGER;
ALTER TABLE session ADD COLUMN closed_why TEXT NOT NULL DEFAULT '';

-- What the program reported that a turn took; NULL: it did not. job is that of all its letters, where they have one.
ALTER TABLE turn ADD COLUMN job TEXT NOT NULL DEFAULT '';
ALTER TABLE turn ADD COLUMN started_at INTEGER;
ALTER TABLE turn ADD COLUMN input_tokens INTEGER;
ALTER TABLE turn ADD COLUMN output_tokens INTEGER;
ALTER TABLE turn ADD COLUMN cached_read INTEGER;
ALTER TABLE turn ADD COLUMN cached_write INTEGER;
ALTER TABLE turn ADD COLUMN reasoning_tokens INTEGER;
ALTER TABLE turn ADD COLUMN total_tokens INTEGER;
ALTER TABLE turn ADD COLUMN cost REAL;
ALTER TABLE turn ADD COLUMN currency TEXT NOT NULL DEFAULT '';
CREATE INDEX turn_agent ON turn(agent, pk);

-- groove's own words to an agent, until a turn that showed them has started.
CREATE TABLE agent_note(
  pk INTEGER PRIMARY KEY,
  agent INTEGER NOT NULL,
  text TEXT NOT NULL,
  at INTEGER NOT NULL
);
CREATE INDEX agent_note_agent ON agent_note(agent);

-- +goose Down
SELECT 1;
