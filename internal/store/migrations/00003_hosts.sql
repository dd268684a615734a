-- +goose Up
-- The last answer for each host name of a peer, for 24 h after it came.
CREATE TABLE host_answer(
  host TEXT PRIMARY KEY,
  addresses TEXT NOT NULL,
  at INTEGER NOT NULL
) WITHOUT ROWID;

-- +goose Down
SELECT 1;
