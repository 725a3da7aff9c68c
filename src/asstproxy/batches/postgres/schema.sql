-- The tables of `asst batch --queue`, in the schema "asst" next to those of procrastinate. A change gets a new VERSION in tables.py.

CREATE TABLE about (
    version integer NOT NULL,
    tickets text NOT NULL -- the version of procrastinate's tables
);

CREATE TABLE batch (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    queue text NOT NULL, -- of its tickets: which workers can ask it
    spec bytea NOT NULL, -- spec.Spec, as JSON
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'capped', 'stopped', 'cancelled')),
    run integer NOT NULL DEFAULT 1, -- grows each time it is submitted
    stop text NOT NULL DEFAULT '', -- why it was stopped, for a person
    rpm integer,
    tpm integer,
    max_cost numeric, -- US dollars, like all money here
    spent numeric NOT NULL DEFAULT 0,
    reserved numeric NOT NULL DEFAULT 0, -- the sum of its items'
    created timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE batch_item (
    batch integer NOT NULL REFERENCES batch ON DELETE CASCADE,
    n integer NOT NULL, -- the order of the output, from 0
    id text NOT NULL,
    body bigint NOT NULL, -- Item.body
    item bytea NOT NULL, -- Item, as JSON
    state smallint NOT NULL DEFAULT 0, -- ledger.Status
    ticket bigint, -- the job that has asked last
    asked_by text, -- the attempt that has asked last
    doubts smallint NOT NULL DEFAULT 0, -- how often it was asked anew without knowing what became of the request before
    result bytea, -- Result, as JSON
    records bytea, -- JSON lines; of an item that waits: how to fetch its answer from the provider
    input_tokens bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0,
    cost double precision,
    reserved numeric NOT NULL DEFAULT 0,
    PRIMARY KEY (batch, n),
    UNIQUE (batch, id)
);
CREATE INDEX batch_item_waiting ON batch_item (batch, n) WHERE state = 0;
CREATE INDEX batch_item_doubted ON batch_item (batch, n) WHERE doubts > 0;

-- What a 429 says holds for every worker.
CREATE TABLE throttle (
    provider text PRIMARY KEY,
    not_before timestamptz NOT NULL
);

-- The requests of the last minute, of batches with a limit.
CREATE TABLE request (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch integer NOT NULL REFERENCES batch ON DELETE CASCADE,
    at timestamptz NOT NULL,
    tokens integer NOT NULL
);
CREATE INDEX request_of_batch ON request (batch, at, id);

-- May this attempt (of a ticket) send a request now? `wait`: 0 yes, else after so many seconds; below 0: it isn't its turn at all.
CREATE FUNCTION admit(
    the_batch integer, the_n integer, the_ticket bigint, the_attempt integer, is_fetch boolean,
    the_provider text, the_tokens integer, span double precision,
    OUT wait double precision, OUT request_id bigint
) LANGUAGE plpgsql AS $$
DECLARE
    it batch;
    moment timestamptz;
    doubted boolean;
    me text := the_ticket || '.' || the_attempt;
BEGIN
    SELECT extract(epoch FROM not_before - clock_timestamp()) INTO wait FROM throttle WHERE provider = the_provider;
    IF wait > 0 THEN
        RETURN;
    END IF;
    wait := 0;
    SELECT * INTO it FROM batch WHERE id = the_batch;
    IF it.state IS DISTINCT FROM 'open' OR NOT EXISTS ( -- or the ticket was given to another worker
        SELECT FROM procrastinate_jobs WHERE id = the_ticket AND status = 'doing' AND attempts = the_attempt
    ) THEN
        wait := -1;
        RETURN;
    END IF;
    IF it.rpm IS NOT NULL OR it.tpm IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(1634956404, the_batch); -- one after the other
        DELETE FROM request WHERE batch = the_batch AND at <= clock_timestamp() - span * interval '1 second';
        IF it.rpm IS NOT NULL THEN
            SELECT at INTO moment FROM request WHERE batch = the_batch ORDER BY at DESC, id DESC OFFSET it.rpm - 1 LIMIT 1;
            wait := greatest(extract(epoch FROM moment - clock_timestamp()) + span, 0);
        END IF;
        IF it.tpm IS NOT NULL THEN -- as many of the oldest as it takes must have left the window
            SELECT max(at) INTO moment FROM (
                SELECT at, sum(tokens) OVER (ORDER BY at, id) - tokens AS older, sum(tokens) OVER () AS together
                FROM request WHERE batch = the_batch
            ) AS sums WHERE older < together + least(the_tokens, it.tpm) - it.tpm;
            wait := greatest(wait, extract(epoch FROM moment - clock_timestamp()) + span);
        END IF;
        IF wait > 0 THEN
            RETURN;
        END IF;
    END IF;
    SELECT asked_by <> me AND NOT is_fetch INTO doubted FROM batch_item
    WHERE batch = the_batch AND n = the_n AND state = 0 AND (
        ticket IS NULL OR ticket = the_ticket
        OR NOT EXISTS (SELECT FROM procrastinate_jobs WHERE id = ticket AND status = 'doing')
    ) FOR UPDATE;
    IF NOT FOUND THEN
        wait := -1;
        RETURN;
    END IF;
    doubted := coalesce(doubted, false);
    IF doubted AND it.max_cost IS NOT NULL THEN -- what may have been paid counts as paid
        UPDATE batch SET spent = spent + held, reserved = batch.reserved - held
        FROM (SELECT reserved AS held FROM batch_item WHERE batch = the_batch AND n = the_n) AS item WHERE id = the_batch;
        UPDATE batch_item SET reserved = 0 WHERE batch = the_batch AND n = the_n;
    END IF;
    UPDATE batch_item SET ticket = the_ticket, asked_by = me, doubts = doubts + doubted::integer
    WHERE batch = the_batch AND n = the_n AND (ticket IS DISTINCT FROM the_ticket OR asked_by IS DISTINCT FROM me);
    IF it.rpm IS NOT NULL OR it.tpm IS NOT NULL THEN
        INSERT INTO request (batch, at, tokens) VALUES (the_batch, clock_timestamp(), the_tokens) RETURNING id INTO request_id;
    END IF;
    wait := 0;
END;
$$;

-- Make tickets for the items of a batch that wait, from item `low` up to (without) `high`; returns how many. `are_new`: they were
-- added in this transaction, so that none can have one; else those that have one are left out.
CREATE FUNCTION make_tickets(the_batch integer, low integer, high integer, are_new boolean) RETURNS integer LANGUAGE sql AS $$
    SELECT coalesce(array_length(procrastinate_defer_jobs_v1(array_agg(ROW(
        batch.queue, 'ask', 0, NULL, NULL, jsonb_build_object('batch', batch.id, 'n', missing.n), NULL
    )::procrastinate_job_to_defer_v1 ORDER BY missing.n)), 1), 0)
    FROM batch CROSS JOIN LATERAL (
        SELECT n FROM batch_item WHERE batch = the_batch AND state = 0 AND n >= low AND n < high
        EXCEPT -- takes linear time, where NOT EXISTS may become a nested loop
        SELECT (job.args ->> 'n')::integer FROM procrastinate_jobs AS job
        WHERE NOT are_new AND job.status IN ('todo', 'doing') AND job.queue_name = batch.queue
        AND (job.args ->> 'batch')::integer = the_batch
    ) AS missing
    WHERE batch.id = the_batch AND batch.state = 'open';
$$;

-- A worker fetches its tickets one by one. Where the statistics are old (after many tickets were added or removed), Postgres may sort
-- all of them each time instead of following the index: 40 ms instead of 0.4.
DO $$
DECLARE
    fetching regprocedure;
BEGIN
    FOR fetching IN SELECT oid FROM pg_proc
        WHERE pronamespace = current_schema::regnamespace AND proname LIKE 'procrastinate\_fetch\_job\_%'
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET enable_sort = off SET enable_seqscan = off', fetching);
    END LOOP;
END;
$$;
