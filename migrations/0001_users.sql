-- Users that were made while the gateway ran, what their passwords are checked with, and where users are registered.
-- Times are seconds since 1970. The same for SQLite and PostgreSQL.
CREATE TABLE users (
    name            TEXT   NOT NULL PRIMARY KEY,
    display_name    TEXT,
    max_calls       BIGINT NOT NULL,
    created         BIGINT NOT NULL,
    temporary_until BIGINT
);

-- HA1 of RFC 7616: never the password.
CREATE TABLE user_keys (
    user_name TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    realm     TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    ha1       TEXT NOT NULL,
    PRIMARY KEY (user_name, realm, algorithm)
);

-- Users of the dialplan have bindings too, and no row in users.
CREATE TABLE bindings (
    user_name      TEXT   NOT NULL,
    position       BIGINT NOT NULL,
    contact        TEXT   NOT NULL,
    q              BIGINT NOT NULL,
    instance       TEXT,
    reg_id         BIGINT,
    call_id        TEXT   NOT NULL,
    cseq           BIGINT NOT NULL,
    user_agent     TEXT,
    transport      TEXT   NOT NULL,
    local_address  TEXT   NOT NULL,
    remote_address TEXT   NOT NULL,
    expires        BIGINT NOT NULL,
    PRIMARY KEY (user_name, position)
);
