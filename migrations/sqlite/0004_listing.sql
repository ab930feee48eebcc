-- Listings: what the last complete one showed, what an empty one proves, when the baseline began. Marks: since when they
-- are due, and when they were refused. Requests: who waits for one.

ALTER TABLE accounts ADD COLUMN first_listing_at INTEGER;                  -- when the first listing that brought a page began
ALTER TABLE accounts ADD COLUMN last_steady_at INTEGER;                    -- when the last listing ended that could prove an absence
ALTER TABLE accounts ADD COLUMN full_length INTEGER NOT NULL DEFAULT 0;    -- of the last complete listing that was not empty
ALTER TABLE accounts ADD COLUMN empty_listings INTEGER NOT NULL DEFAULT 0; -- empty ones since, in a row
UPDATE accounts SET full_length = COALESCE(listing_length, 0), first_listing_at = baseline_at;

-- Whether the last complete listing, or a page since, showed it: only then is it marked.
ALTER TABLE reviews ADD COLUMN shown INTEGER NOT NULL DEFAULT 0 CHECK (shown IN (0, 1));
ALTER TABLE reviews ADD COLUMN mark_due_at INTEGER;      -- when its mark became due, once an attempt has failed
ALTER TABLE reviews ADD COLUMN mark_refused_at INTEGER;  -- when marking it was last answered 409, 410 or 422
UPDATE reviews SET shown = 1 WHERE listed = 1;
DROP INDEX reviews_to_mark;
CREATE INDEX reviews_to_mark ON reviews (account, shown, mark_at) WHERE mark = 'due';
CREATE INDEX reviews_refused ON reviews (account) WHERE mark_refused_at IS NOT NULL;

-- `listed_since_mark` counts complete listings that began after the mark and still showed the review; -1 once one did not.

-- There was one reason only to skip.
UPDATE deliveries SET reason = 'read_elsewhere' WHERE state = 'skipped' AND reason IS NULL;

-- Who waits for a request of the budget, by purpose.
CREATE TABLE request_queue (
    account  TEXT    NOT NULL,
    purpose  TEXT    NOT NULL,
    since    INTEGER NOT NULL,
    until    INTEGER NOT NULL,  -- when it will ask again
    PRIMARY KEY (account, purpose)
) STRICT, WITHOUT ROWID;
