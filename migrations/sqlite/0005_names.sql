-- Scales of ratings, reviews to be matched again, and names that nothing bears.

-- What each source has shown, and the scale that its ratings are read on.
CREATE TABLE scales (
    account     TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    numbers     INTEGER NOT NULL DEFAULT 0,        -- reviews with a number
    above_five  INTEGER NOT NULL DEFAULT 0,        -- of these, above 5 and at most 10
    highest     REAL    NOT NULL DEFAULT 0,
    scale       REAL,                              -- its top, once it is decided
    reason      TEXT,
    since       INTEGER,
    PRIMARY KEY (account, source),
    CHECK ((scale IS NULL) = (reason IS NULL) AND (scale IS NULL) = (since IS NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO scales (account, source, numbers, above_five, highest)
SELECT account, body ->> '$.source_uuid', COUNT(*),
    SUM(body ->> '$.rating' > 5 AND body ->> '$.rating' <= 10), MAX(0.0, MAX(body ->> '$.rating'))
FROM reviews
WHERE body IS NOT NULL AND state <> 'malformed' AND body ->> '$.source_uuid' IS NOT NULL
  AND json_type(body, '$.rating') IN ('integer', 'real')
GROUP BY account, body ->> '$.source_uuid';

-- The scale that a revision was matched on; every message about it uses it.
ALTER TABLE revisions ADD COLUMN scale REAL;

-- Names or a scale changed: the rules run again.
ALTER TABLE reviews ADD COLUMN rematch INTEGER NOT NULL DEFAULT 0 CHECK (rematch IN (0, 1));
CREATE INDEX reviews_to_rematch ON reviews (account) WHERE rematch = 1;
CREATE INDEX reviews_still_undecided ON reviews (account) WHERE undecided = 1;

-- Names in the configuration that no website, source or platform bears.
CREATE TABLE unknown_names (
    account  TEXT NOT NULL,
    text     TEXT NOT NULL,
    PRIMARY KEY (account, text)
) STRICT, WITHOUT ROWID;
