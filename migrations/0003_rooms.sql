-- Rooms that were made while the gateway ran, and which rooms are locked, made or not. PINs are as in the dialplan.
-- The same for SQLite and PostgreSQL.
CREATE TABLE rooms (
    name        TEXT   NOT NULL PRIMARY KEY,
    made        BIGINT NOT NULL,
    pin         TEXT,
    host_pin    TEXT,
    max_members BIGINT,
    locked      BIGINT NOT NULL
);
