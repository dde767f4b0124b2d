-- Texts that scenarios keep, by name. Times are seconds since 1970. The same for SQLite and PostgreSQL.
CREATE TABLE texts (
    name  TEXT   NOT NULL PRIMARY KEY,
    value TEXT   NOT NULL,
    ends  BIGINT NOT NULL
);
