-- owner: identity:ID or camera:ID; wrapped: its key, sealed by the device key.
CREATE TABLE vault_keys (owner TEXT PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID;

-- name, template (float32, little-endian) and crop (JPEG) are sealed by the owner's key. version: that of the gallery at the last change.
CREATE TABLE identities (id TEXT PRIMARY KEY, created_at INTEGER NOT NULL, version INTEGER NOT NULL, name BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE identity_references (
    id INTEGER PRIMARY KEY,
    identity_id TEXT NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    model_pack TEXT NOT NULL,
    template BLOB NOT NULL,
    crop BLOB);
CREATE UNIQUE INDEX identity_references_in_order ON identity_references (identity_id, position);

-- Rises at every change, so that other processes see it.
CREATE TABLE gallery (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL);
INSERT INTO gallery VALUES (1, 0);
