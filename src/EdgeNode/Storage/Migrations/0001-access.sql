-- Times are milliseconds since 1970, UTC.
CREATE TABLE revocations (jti TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) WITHOUT ROWID;
