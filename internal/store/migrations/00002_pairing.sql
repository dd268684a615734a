-- +goose Up
-- An address that a user wants to pair with, for five minutes; transcript and peer are those of the words that were
-- confirmed here.
CREATE TABLE arming(
  pk INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  address TEXT NOT NULL UNIQUE,
  mine INTEGER NOT NULL DEFAULT 0,
  name TEXT NOT NULL DEFAULT '',
  until INTEGER NOT NULL,
  failures INTEGER NOT NULL DEFAULT 0,
  peer TEXT NOT NULL DEFAULT '',
  transcript BLOB
);

-- +goose Down
SELECT 1;
