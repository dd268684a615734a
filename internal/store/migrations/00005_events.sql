-- +goose Up
-- What changed, for those who look on: data is JSON, or of topic 'message' records of 18 bytes. Rows are numbered without a
-- gap from the oldest that is kept.
CREATE TABLE event(
  n INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  topic TEXT NOT NULL,
  data BLOB NOT NULL
);

-- +goose Down
SELECT 1;
