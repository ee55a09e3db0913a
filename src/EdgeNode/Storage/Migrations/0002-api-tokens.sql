-- Long-lived tokens: valid only while they stand here, unrevoked. cameras: ids with spaces between, NULL for all.
CREATE TABLE api_tokens (
    jti TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, cameras TEXT, metadata INTEGER NOT NULL,
    created_at INTEGER NOT NULL, expires_at INTEGER, last_used_at INTEGER, revoked_at INTEGER) WITHOUT ROWID;
