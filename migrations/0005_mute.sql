-- By which disturbances a room that was made mutes whoever is heard in it so: their names, with commas.
-- The same for SQLite and PostgreSQL.
ALTER TABLE rooms ADD COLUMN mute TEXT NOT NULL DEFAULT '';
