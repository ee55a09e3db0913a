-- Cameras added by the API. Address and login are in the sealed part alone.
CREATE TABLE cameras (
    id TEXT PRIMARY KEY,
    added_at INTEGER NOT NULL, -- milliseconds since 1970, UTC
    settings BLOB NOT NULL     -- JSON, sealed by the device key
);
