-- +goose Up
-- What the user has to do with a letter before an agent sees it: '' nothing, 'held' it waits for a yes because its
-- agent's program never asks, 'yes' the user has read it and let it through.
ALTER TABLE inbox ADD COLUMN review TEXT NOT NULL DEFAULT '';

-- +goose Down
SELECT 1;
