-- The best shot of an event: template (float32, little-endian) and picture (JPEG) are sealed by the key identity:ID where the face was
-- recognised, or confirmed, else by event:ID (in vault_keys). recorded_at as that of events.
CREATE TABLE event_shots (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    camera TEXT NOT NULL,
    identity_id TEXT,
    recorded_at INTEGER NOT NULL,
    taken_at INTEGER NOT NULL,
    quality REAL NOT NULL,
    model_pack TEXT NOT NULL,
    template BLOB NOT NULL,
    picture BLOB NOT NULL);
CREATE INDEX event_shots_of_identity ON event_shots (identity_id, number);

-- Faces of which somebody said that they are not this person; template sealed by the key identity:ID.
CREATE TABLE identity_negatives (
    id INTEGER PRIMARY KEY,
    identity_id TEXT NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
    model_pack TEXT NOT NULL,
    template BLOB NOT NULL);
CREATE INDEX identity_negatives_of ON identity_negatives (identity_id);

-- What the API calls a reference; NULL where an earlier version wrote it since.
ALTER TABLE identity_references ADD COLUMN photo_id TEXT;
UPDATE identity_references SET photo_id = lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(6)));
