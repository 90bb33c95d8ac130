-- What happened; it only grows. Pages are read by time and id, the newest first.
CREATE TABLE call (
    id BIGINT NOT NULL PRIMARY KEY,
    near TEXT NOT NULL,
    far TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    since BIGINT NOT NULL,
    connected BIGINT,
    ended BIGINT,
    reason TEXT NOT NULL,
    side TEXT
);
CREATE INDEX call_by_time ON call (since, id);
CREATE INDEX call_by_near ON call (near, since, id);
CREATE INDEX call_by_far ON call (far, since, id);
CREATE INDEX call_by_reason ON call (reason, since, id);
CREATE INDEX call_by_whom ON call (by_whom, since, id);
CREATE INDEX call_open ON call (since, id) WHERE ended IS NULL;

CREATE TABLE audit (
    id BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    who TEXT NOT NULL,
    room TEXT,
    what TEXT NOT NULL,
    answer TEXT NOT NULL,
    reason TEXT NOT NULL,
    answered BIGINT
);
CREATE INDEX audit_by_time ON audit (at, id);
CREATE INDEX audit_by_room ON audit (room, at, id);

CREATE TABLE alert (
    id BIGINT NOT NULL PRIMARY KEY,
    room TEXT NOT NULL,
    device TEXT NOT NULL,
    code TEXT NOT NULL,
    level TEXT NOT NULL,
    text TEXT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT,
    muted_by TEXT NOT NULL
);
CREATE INDEX alert_by_time ON alert (since, id);
CREATE INDEX alert_by_room ON alert (room, since, id);
CREATE INDEX alert_open ON alert (since, id) WHERE until IS NULL;

CREATE TABLE help (
    id BIGINT NOT NULL PRIMARY KEY,
    room TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    text TEXT NOT NULL,
    since BIGINT NOT NULL,
    acknowledged_by TEXT NOT NULL,
    acknowledged BIGINT,
    closed BIGINT
);
CREATE INDEX help_by_time ON help (since, id);
CREATE INDEX help_open ON help (since, id) WHERE closed IS NULL;
