-- Who did what to which object. Objects are kinds and ids (identity:0198…), never names: what is erased must not live on here.
-- Ids are never used twice: they are cursors.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, subject TEXT NOT NULL, jti TEXT NOT NULL,
    action TEXT NOT NULL, object TEXT NOT NULL, outcome TEXT NOT NULL);
