import { EVENT, LEASE_MS } from './event-sender';

/** After which the money of `refund_returns` comes back. */
const RETURNS_AFTER_MS = 2_000;
const MOST_RETURNED = 100;

/**
 * Makes the function `sandbox.create_refund`: gives money of a payment back, if so much of it is left, and writes the event of
 * it. Answers why the refund can't be, or the refund and its event; no event of one whose key is known.
 */
export const CREATE_REFUND_FUNCTION = `
  CREATE OR REPLACE FUNCTION sandbox.create_refund(
    refund_id text, key text, payment_id text, asked bigint, its_metadata jsonb, event_id text,
    OUT refusal text, OUT refund sandbox.refunds, OUT event sandbox.events
  ) LANGUAGE plpgsql AS $$
  DECLARE
    charge sandbox.payments;
    is_first boolean;
    failure text;
  BEGIN
    SELECT * INTO charge FROM sandbox.payments WHERE id = payment_id FOR UPDATE;
    IF NOT FOUND THEN
      refusal := 'not_found';
      RETURN;
    END IF;
    -- Read after the lock: the same call may just have been worked off.
    SELECT * INTO refund FROM sandbox.refunds WHERE idempotency_key = key;
    IF refund.id IS NOT NULL THEN
      IF refund.payment <> payment_id OR refund.amount <> asked THEN refusal := 'idempotency_key_reused'; END IF;
      RETURN;
    END IF;
    refusal := CASE
      WHEN charge.status <> 'succeeded' THEN 'payment_not_succeeded'
      WHEN charge.dispute = 'open' THEN 'payment_disputed'
      WHEN charge.dispute = 'lost' AND charge.refunded + coalesce(charge.dispute_amount, charge.taken) + asked > charge.taken
        THEN 'payment_disputed'
      WHEN charge.refunded + asked > charge.taken THEN 'refund_too_large'
    END;
    IF refusal IS NOT NULL THEN RETURN; END IF;
    is_first := NOT EXISTS (SELECT FROM sandbox.refunds WHERE payment = payment_id);
    failure := CASE
      WHEN (SELECT balance_exhausted FROM sandbox.account) THEN 'balance_insufficient'
      WHEN charge.method = 'refund_fails' AND is_first THEN 'refund_declined'
    END;
    INSERT INTO sandbox.refunds (id, idempotency_key, payment, amount, status, failure_code, metadata, returns_at)
    VALUES (refund_id, key, payment_id, asked, CASE WHEN failure IS NULL THEN 'succeeded' ELSE 'failed' END, failure, its_metadata,
      CASE WHEN charge.method = 'refund_returns' AND is_first AND failure IS NULL
        THEN now() + interval '${RETURNS_AFTER_MS} ms' END)
    RETURNING * INTO refund;
    IF failure IS NULL THEN
      UPDATE sandbox.payments SET refunded = refunded + asked WHERE id = payment_id;
    END IF;
    INSERT INTO sandbox.events (id, type, payment, metadata, next_at)
    VALUES (event_id, 'refund.' || refund.status, payment_id, charge.metadata || its_metadata, now() + interval '${LEASE_MS} ms')
    RETURNING * INTO event;
  END
  $$;`;

/** Makes refunds, of `$1`, an array of JSON, one after the other: a row each, in the order of the requests. */
export const CREATE_REFUNDS = {
  name: 'create_refunds',
  text: `
  SELECT refusal, (refund).id, (refund).payment, (refund).amount, (refund).status, (refund).failure_code AS "failureCode",
    (refund).metadata, (refund).created_at AS "createdAt", row_to_json(event) AS event
  FROM (
    -- Payments are locked in one order, so that two statements never wait for each other.
    SELECT asked.n, made.* FROM (
      SELECT * FROM json_to_recordset($1::json) AS asked (n int, id text, key text, payment text, amount bigint, metadata jsonb, event text)
      ORDER BY payment, n OFFSET 0
    ) AS asked, LATERAL sandbox.create_refund(id, key, payment, amount, metadata, event) AS made
    OFFSET 0
  ) AS made
  ORDER BY n`,
};

/** Lets those come back whose time has come: the buyer's bank did not take the money. Answers their events. */
export const RETURN_REFUNDS = {
  name: 'return_refunds',
  text: `
  WITH returned AS MATERIALIZED (
    UPDATE sandbox.refunds SET status = 'failed', failure_code = 'account_closed', returns_at = NULL
    WHERE id IN (SELECT id FROM sandbox.refunds WHERE returns_at <= now() LIMIT ${MOST_RETURNED} FOR UPDATE SKIP LOCKED)
    RETURNING payment, amount, metadata
  ), changed AS (
    -- One a payment: only its first refund comes back.
    UPDATE sandbox.payments SET refunded = refunded - returned.amount FROM returned WHERE payments.id = returned.payment
    RETURNING payments.id, payments.metadata || returned.metadata AS metadata
  )
  INSERT INTO sandbox.events (id, type, payment, metadata, next_at)
  SELECT 'evt_' || replace(gen_random_uuid()::text, '-', ''), 'refund.failed', id, metadata, now() + interval '${LEASE_MS} ms'
  FROM changed
  RETURNING ${EVENT}`,
};
