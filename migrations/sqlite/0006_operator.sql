-- Problems from when they begin, what other parts report, and what the bridge notes of itself.

CREATE TABLE problems (
    kind         TEXT    NOT NULL,
    subject      TEXT    NOT NULL,
    text         TEXT    NOT NULL,
    hint         TEXT    NOT NULL,
    since        INTEGER NOT NULL,
    notified_at  INTEGER,                          -- the last notice; null before the first
    over_at      INTEGER,                          -- it ended, and what had waited is still being sent
    PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;
INSERT INTO problems (kind, subject, text, hint, since, notified_at)
SELECT kind, subject, text, hint, told_at, told_at FROM troubles;
DROP TABLE troubles;

-- Problems that parts of the bridge report where they see them.
CREATE TABLE reports (
    kind     TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    text     TEXT    NOT NULL,
    hint     TEXT    NOT NULL,
    since    INTEGER NOT NULL,
    PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE bridge (
    id            INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    started_at    INTEGER,
    stopped_at    INTEGER,                         -- in good order
    loaded_at     INTEGER,                         -- since when the configuration is active
    shown         TEXT,                            -- the configuration without secrets
    refused_at    INTEGER,                         -- since when an edited one is refused
    refused_why   TEXT,
    once_at       INTEGER,                         -- the end of the last `run --once`
    once_failure  TEXT,
    CHECK ((refused_at IS NULL) = (refused_why IS NULL))
) STRICT;

-- What problems are assessed from every few seconds must not cost more the more the state holds.
CREATE INDEX deliveries_dead ON deliveries (destination, reason) WHERE state = 'dead' AND newest = 1;
CREATE INDEX reviews_malformed ON reviews (account) WHERE state = 'malformed';
CREATE INDEX reviews_undecided ON reviews (account, changed_at) WHERE state = 'unmatched' AND undecided = 1;
CREATE INDEX reviews_yet_listed ON reviews (account) WHERE listed = 1 AND mark = 'done' AND listed_since_mark >= 3;
