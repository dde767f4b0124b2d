-- Invitations of one person to one room, until they end; and the users that were made by them. The same for SQLite and
-- PostgreSQL.
CREATE TABLE invitations (
    id      TEXT   NOT NULL PRIMARY KEY,
    room    TEXT   NOT NULL,
    name    TEXT   NOT NULL,
    host    BIGINT NOT NULL,
    created BIGINT NOT NULL,
    ends    BIGINT NOT NULL,
    revoked BIGINT NOT NULL
);

-- Both or neither: such a user may call this room alone.
ALTER TABLE users ADD COLUMN invitation TEXT;
ALTER TABLE users ADD COLUMN room TEXT;
