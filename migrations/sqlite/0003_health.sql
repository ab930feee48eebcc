-- Health: a destination may be failing, not only broken; what its recipients certainly have, and may have.

CREATE TABLE destinations_with_health (
    name           TEXT    NOT NULL PRIMARY KEY,
    paused_at      INTEGER,
    health         TEXT    NOT NULL DEFAULT 'untried' CHECK (health IN ('untried', 'working', 'failing', 'broken')),
    health_since   INTEGER,                        -- of a failing one: the first of its failures in a row
    reason         TEXT,                           -- why it fails or is broken
    detail         TEXT,                           -- the same for people
    probe_at       INTEGER,                        -- the next probe
    probes         INTEGER NOT NULL DEFAULT 0,     -- failed ones since it fails
    failures       INTEGER NOT NULL DEFAULT 0,     -- in a row, while it does not fail yet
    failures_from  INTEGER,                        -- when the first of them ended
    hold_until     INTEGER NOT NULL DEFAULT 0,     -- Retry-After
    stopped_since  INTEGER,                        -- paused, failing or broken since
    stopped_ms     INTEGER NOT NULL DEFAULT 0,     -- paused, failing or broken before that, in all
    opened_at      INTEGER NOT NULL DEFAULT 0,     -- when it last worked again or was resumed
    CHECK ((health IN ('failing', 'broken')) = (probe_at IS NOT NULL)),
    CHECK ((health IN ('failing', 'broken')) = (reason IS NOT NULL)),
    CHECK ((failures > 0) = (failures_from IS NOT NULL)),
    CHECK ((stopped_since IS NULL) = (paused_at IS NULL AND health NOT IN ('failing', 'broken')))
) STRICT;

INSERT INTO destinations_with_health (name, paused_at, health, health_since, reason, detail, probe_at, hold_until,
    stopped_since, stopped_ms, opened_at)
SELECT name, paused_at, CASE WHEN broken_at IS NULL THEN 'untried' ELSE 'broken' END, broken_at, broken_reason, broken_detail,
    retry_at, hold_until, stopped_since, stopped_ms, opened_at
FROM destinations;
DROP TABLE destinations;
ALTER TABLE destinations_with_health RENAME TO destinations;

-- One that has delivered anything works.
INSERT INTO destinations (name, health, health_since)
SELECT destination, 'working', MAX(settled_at) FROM messages WHERE state = 'delivered' GROUP BY destination
ON CONFLICT (name) DO UPDATE SET health = 'working', health_since = excluded.health_since WHERE health = 'untried';

-- The revision that a recipient certainly has by this delivery, and the first that it may have since.
ALTER TABLE deliveries ADD COLUMN received INTEGER;
ALTER TABLE deliveries ADD COLUMN doubt INTEGER;
UPDATE deliveries SET received = revision WHERE state = 'delivered';
UPDATE deliveries SET doubt = revision
WHERE state IN ('pending', 'superseded', 'dead') AND message_id IN (SELECT id FROM messages WHERE possible_repeat = 1);

-- Recipients of e-mails are compared without case.
UPDATE OR IGNORE deliveries SET recipient = lower(recipient) WHERE recipient <> lower(recipient);
UPDATE messages SET recipient = lower(recipient) WHERE recipient <> lower(recipient);

-- The plain form, cut.
ALTER TABLE messages ADD COLUMN short INTEGER NOT NULL DEFAULT 0 CHECK (short IN (0, 1));

-- Destinations that are gone from the configuration while something is queued for them.
CREATE TABLE removed (
    destination  TEXT    NOT NULL PRIMARY KEY,
    since        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
