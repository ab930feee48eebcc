-- Whatever is looked for again and again is found by an index that holds only what is still to be done: its cost does
-- not grow with what was done before.

CREATE INDEX reviews_marked_listed ON reviews (account, listed_since_mark) WHERE listed = 1 AND mark = 'done';
CREATE INDEX deliveries_pending ON deliveries (destination, recipient) WHERE state = 'pending';
CREATE INDEX messages_digests ON messages (destination, recipient, settled_at) WHERE kind = 'digest' AND state = 'delivered';

-- By account and state: for nothing but counts, which read every row in any case.
DROP INDEX reviews_by_state;
-- What waits for a digest is found by `deliveries_pending`.
DROP INDEX deliveries_to_digest;
