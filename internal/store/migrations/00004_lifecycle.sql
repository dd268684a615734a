-- +goose Up
-- Why the job is paused, on each side; '' where it is not.
ALTER TABLE leg ADD COLUMN pause_here TEXT NOT NULL DEFAULT '';
ALTER TABLE leg ADD COLUMN pause_there TEXT NOT NULL DEFAULT '';
-- The end that this side has asked for, and the one that the peer has; NULL where none is asked.
ALTER TABLE leg ADD COLUMN extend_here INTEGER;
ALTER TABLE leg ADD COLUMN extend_there INTEGER;
ALTER TABLE leg ADD COLUMN extend_id BLOB;
-- The peer has refused the last wish.
ALTER TABLE leg ADD COLUMN extend_no INTEGER NOT NULL DEFAULT 0;
-- What the peer has used of the contract's budget since the last resume.
ALTER TABLE leg ADD COLUMN spent_messages INTEGER NOT NULL DEFAULT 0;
ALTER TABLE leg ADD COLUMN spent_bytes INTEGER NOT NULL DEFAULT 0;

-- +goose Down
SELECT 1;
