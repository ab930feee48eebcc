-- The state of the bridge. Times are milliseconds since the Unix epoch, flags 0 or 1, JSON is text.
-- Never edited once released: later changes are later files.

CREATE TABLE accounts (
    name              TEXT    NOT NULL PRIMARY KEY,
    catalog           TEXT,                        -- sources, websites, platforms; null until loaded once
    catalog_at        INTEGER,
    baseline_at       INTEGER,                     -- end of the first complete listing
    listings          INTEGER NOT NULL DEFAULT 0,  -- complete ones
    listing_length    INTEGER,
    last_poll_at      INTEGER,
    last_success_at   INTEGER,
    failed_polls      INTEGER NOT NULL DEFAULT 0,  -- in a row
    failing_since     INTEGER,
    last_error        TEXT,
    last_error_kind   TEXT,
    hold_until        INTEGER NOT NULL DEFAULT 0,  -- the API asked for a pause
    token_expires_at  INTEGER,
    mark_setting      TEXT,                        -- the mark path that has succeeded
    mark_error        TEXT,                        -- why marking cannot work with the present setting
    CHECK ((catalog IS NULL) = (catalog_at IS NULL)),
    CHECK ((failed_polls > 0) = (failing_since IS NOT NULL))
) STRICT;

CREATE TABLE endpoints (
    account      TEXT    NOT NULL,
    endpoint     TEXT    NOT NULL,
    ok_at        INTEGER,
    failed_at    INTEGER,
    error        TEXT,
    PRIMARY KEY (account, endpoint)
) STRICT, WITHOUT ROWID;

-- The sliding log of requests that keeps the budget across processes and restarts.
CREATE TABLE requests (
    account  TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    purpose  TEXT    NOT NULL,
    count    INTEGER NOT NULL CHECK (count > 0)
) STRICT;
CREATE INDEX requests_by_time ON requests (account, at);

CREATE TABLE reviews (
    id                INTEGER NOT NULL PRIMARY KEY,
    account           TEXT    NOT NULL,
    uuid              TEXT    NOT NULL,
    state             TEXT    NOT NULL CHECK (state IN
        ('held', 'settling', 'matched', 'unmatched', 'remembered', 'malformed', 'expired', 'forgotten')),
    revision          INTEGER NOT NULL CHECK (revision >= 1),
    content_hash      TEXT    NOT NULL,            -- of rating and of text
    body_hash         TEXT    NOT NULL,            -- of everything
    body              TEXT,                        -- the newest revision; null in a tombstone
    reviewed_at       INTEGER,
    first_seen_at     INTEGER NOT NULL,
    changed_at        INTEGER NOT NULL,
    match_at          INTEGER,                     -- when the rules run, while settling
    undecided         INTEGER NOT NULL DEFAULT 0 CHECK (undecided IN (0, 1)),
    told              INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1)),  -- an attempt to tell it began
    listed            INTEGER NOT NULL DEFAULT 0 CHECK (listed IN (0, 1)),
    unlisted_at       INTEGER NOT NULL,            -- when it was last listed, while it is not
    aged_at           INTEGER NOT NULL,            -- from when its retention counts
    missing           INTEGER NOT NULL DEFAULT 0,  -- complete listings without it, in a row
    mark              TEXT    NOT NULL DEFAULT 'none' CHECK (mark IN ('none', 'due', 'done')),
    mark_at           INTEGER,                     -- the next try, or when it was done
    mark_attempts     INTEGER NOT NULL DEFAULT 0,
    mark_error        TEXT,
    listed_since_mark INTEGER NOT NULL DEFAULT 0,  -- complete listings that still showed it
    UNIQUE (account, uuid),
    CHECK ((state = 'settling') = (match_at IS NOT NULL)),
    CHECK ((state IN ('expired', 'forgotten')) = (body IS NULL)),
    CHECK ((mark = 'none') = (mark_at IS NULL)),
    CHECK (mark = 'none' OR state NOT IN ('held', 'settling', 'malformed'))
) STRICT;
CREATE INDEX reviews_to_match ON reviews (account, match_at) WHERE state IN ('held', 'settling');
CREATE INDEX reviews_to_mark ON reviews (account, mark_at) WHERE mark = 'due';
CREATE INDEX reviews_listed ON reviews (account) WHERE listed = 1;
CREATE INDEX reviews_by_change ON reviews (changed_at);
CREATE INDEX reviews_by_state ON reviews (account, state);
CREATE INDEX reviews_by_age ON reviews (aged_at) WHERE body IS NOT NULL;

CREATE TABLE revisions (
    review_id   INTEGER NOT NULL REFERENCES reviews (id) ON DELETE CASCADE,
    revision    INTEGER NOT NULL CHECK (revision >= 1),
    change      TEXT    NOT NULL CHECK (change IN ('new', 'rating', 'text_added', 'text')),
    previous    TEXT,                              -- rating and text before it
    seen_at     INTEGER NOT NULL,
    PRIMARY KEY (review_id, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
    seq               INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id                TEXT    NOT NULL UNIQUE,     -- stable over retries: webhook-id, Message-ID
    destination       TEXT    NOT NULL,
    recipient         TEXT    NOT NULL DEFAULT '',
    kind              TEXT    NOT NULL CHECK (kind IN ('review', 'digest', 'summary', 'operator', 'test')),
    state             TEXT    NOT NULL DEFAULT 'pending' CHECK (state IN
        ('pending', 'delivered', 'dead', 'discarded', 'skipped', 'superseded')),
    content           TEXT,                        -- of a notice or a test
    plain             INTEGER NOT NULL DEFAULT 0 CHECK (plain IN (0, 1)),
    possible_repeat   INTEGER NOT NULL DEFAULT 0 CHECK (possible_repeat IN (0, 1)),
    attempts          INTEGER NOT NULL DEFAULT 0,
    first_attempt_at  INTEGER,
    stopped_base_ms   INTEGER NOT NULL DEFAULT 0,  -- the destination's stopped time at the first attempt
    next_at           INTEGER NOT NULL,
    lease             TEXT,
    lease_until       INTEGER,
    reason            TEXT,
    created_at        INTEGER NOT NULL,
    settled_at        INTEGER,
    CHECK ((state = 'pending') = (settled_at IS NULL)),
    CHECK ((lease IS NULL) = (lease_until IS NULL)),
    CHECK (lease IS NULL OR state = 'pending'),
    CHECK ((attempts = 0) = (first_attempt_at IS NULL)),
    CHECK (state <> 'delivered' OR attempts > 0),
    CHECK ((kind = 'review') = (content IS NULL))
) STRICT;
CREATE INDEX messages_due ON messages (destination, next_at, seq) WHERE state = 'pending' AND lease IS NULL;
CREATE INDEX messages_leased ON messages (lease_until) WHERE lease IS NOT NULL;
CREATE INDEX messages_without_review ON messages (settled_at) WHERE kind <> 'review';

CREATE TABLE deliveries (
    id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- people note it: never another one's
    review_id    INTEGER NOT NULL REFERENCES reviews (id),
    revision     INTEGER NOT NULL CHECK (revision >= 1),
    destination  TEXT    NOT NULL,
    recipient    TEXT    NOT NULL DEFAULT '',
    state        TEXT    NOT NULL DEFAULT 'pending' CHECK (state IN
        ('pending', 'delivered', 'dead', 'discarded', 'skipped', 'superseded')),
    reason       TEXT,
    rules        TEXT    NOT NULL,                 -- every rule that asked for it, and why
    message_id   TEXT    REFERENCES messages (id),
    newest       INTEGER NOT NULL DEFAULT 1 CHECK (newest IN (0, 1)),
    created_at   INTEGER NOT NULL,
    settled_at   INTEGER,
    UNIQUE (review_id, revision, destination, recipient),
    CHECK ((state = 'pending') = (settled_at IS NULL)),
    CHECK (state <> 'delivered' OR message_id IS NOT NULL),
    CHECK (state <> 'superseded' OR newest = 0)
) STRICT;
CREATE UNIQUE INDEX deliveries_newest ON deliveries (review_id, destination, recipient) WHERE newest = 1;
CREATE INDEX deliveries_by_message ON deliveries (message_id);
CREATE INDEX deliveries_by_state ON deliveries (destination, state);
CREATE INDEX deliveries_to_digest ON deliveries (destination, recipient) WHERE message_id IS NULL AND state = 'pending';

CREATE TABLE attempts (
    message_id   TEXT    NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    number       INTEGER NOT NULL CHECK (number >= 1),
    destination  TEXT    NOT NULL,
    begun_at     INTEGER NOT NULL,
    duration_ms  INTEGER,
    outcome      TEXT CHECK (outcome IN ('delivered', 'accepted', 'retry', 'dead', 'broken', 'unknown')),
    reason       TEXT,
    status       INTEGER,
    detail       TEXT,
    excerpt      TEXT,
    PRIMARY KEY (message_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_by_time ON attempts (destination, begun_at);
CREATE INDEX attempts_open ON attempts (message_id) WHERE outcome IS NULL;

CREATE TABLE destinations (
    name           TEXT    NOT NULL PRIMARY KEY,
    paused_at      INTEGER,
    broken_at      INTEGER,
    broken_reason  TEXT,
    broken_detail  TEXT,
    retry_at       INTEGER,                        -- the next probe while broken
    hold_until     INTEGER NOT NULL DEFAULT 0,     -- Retry-After
    stopped_since  INTEGER,                        -- paused or broken since
    stopped_ms     INTEGER NOT NULL DEFAULT 0,     -- paused or broken before that, in all
    CHECK ((broken_at IS NULL) = (retry_at IS NULL)),
    CHECK ((broken_at IS NULL) = (broken_reason IS NULL)),
    CHECK ((stopped_since IS NULL) = (paused_at IS NULL AND broken_at IS NULL))
) STRICT;

-- When digests were sent, and are due.
CREATE TABLE digests (
    destination  TEXT    NOT NULL PRIMARY KEY,
    schedule     TEXT    NOT NULL,                 -- as configured when `next_at` was reckoned
    from_at      INTEGER NOT NULL,                 -- the end of the last window
    next_at      INTEGER NOT NULL
) STRICT;

-- Trouble the operator was told of, until it is over.
CREATE TABLE troubles (
    kind        TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    text        TEXT    NOT NULL,
    hint        TEXT    NOT NULL,
    told_at     INTEGER NOT NULL,
    PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;
