-- The small tables that the program also has in memory. Postgres and SQLite understand every line.
-- Times are milliseconds since 1970, flags are 0 or 1, hashes are hexadecimal.
CREATE TABLE account (
    name TEXT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL,
    role TEXT NOT NULL,
    is_disabled BIGINT NOT NULL,
    must_change BIGINT NOT NULL,
    created BIGINT NOT NULL,
    version BIGINT NOT NULL
);

CREATE TABLE session (
    token TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (name) ON DELETE CASCADE,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX session_by_account ON session (account);

CREATE TABLE panel (
    token TEXT NOT NULL PRIMARY KEY,
    room TEXT NOT NULL,
    name TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    enrolled BIGINT NOT NULL,
    revoked BIGINT
);

CREATE TABLE enrolment (
    code TEXT NOT NULL PRIMARY KEY,
    room TEXT NOT NULL,
    name TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    expires BIGINT NOT NULL
);

CREATE TABLE listing (
    room TEXT NOT NULL PRIMARY KEY,
    city TEXT NOT NULL,
    title TEXT NOT NULL,
    zone TEXT NOT NULL,
    position BIGINT NOT NULL,
    is_listed BIGINT NOT NULL,
    notes TEXT NOT NULL,
    version BIGINT NOT NULL
);

-- Who may call where; no room means every room.
CREATE TABLE permission (
    id BIGINT NOT NULL PRIMARY KEY,
    near TEXT,
    far TEXT,
    days BIGINT NOT NULL,
    from_minute BIGINT NOT NULL,
    to_minute BIGINT NOT NULL
);

CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
