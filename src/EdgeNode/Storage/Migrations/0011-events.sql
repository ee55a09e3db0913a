-- json: the event as in the contract, without the name, which is looked up when it is read: who is erased has none.
-- is_open: the newest report of an event that has not ended. recorded_at never goes back, whatever the clock does.
CREATE TABLE events (
    cursor INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL,
    camera TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    identity_id TEXT,
    is_open INTEGER NOT NULL,
    json BLOB NOT NULL);
CREATE INDEX events_open ON events (event_id) WHERE is_open = 1;
CREATE INDEX events_by_time ON events (updated_at);

-- floor: cursor of the newest event that is no longer held.
CREATE TABLE event_log (one INTEGER PRIMARY KEY CHECK (one = 1), floor INTEGER NOT NULL);
INSERT INTO event_log VALUES (1, 0);
