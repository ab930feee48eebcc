-- Bursts: how many messages of their own reviews had lately, and when a destination opened again.

-- The window that is open, or was the last, by recipient.
CREATE TABLE bursts (
    destination  TEXT    NOT NULL,
    recipient    TEXT    NOT NULL,
    from_at      INTEGER NOT NULL,
    admitted     INTEGER NOT NULL CHECK (admitted > 0),  -- messages let through since
    PRIMARY KEY (destination, recipient)
) STRICT, WITHOUT ROWID;

-- Whether a window let it through.
ALTER TABLE messages ADD COLUMN admitted INTEGER NOT NULL DEFAULT 0 CHECK (admitted IN (0, 1));
-- When it was last repaired or resumed.
ALTER TABLE destinations ADD COLUMN opened_at INTEGER NOT NULL DEFAULT 0;

-- Those that were folded into a digest or a summary, to be removed when they are old.
CREATE INDEX messages_folded ON messages (settled_at) WHERE kind = 'review' AND state = 'superseded';
