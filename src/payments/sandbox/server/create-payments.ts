import { EVENT } from './event-sender';

/**
 * Makes payments, of `$1`, an array of JSON, and their events: in one statement, so that no money is taken of which no event
 * tells. Answers the events; none of a payment whose key is known.
 */
export const CREATE_PAYMENTS = {
  name: 'create_payments',
  text: `
  WITH made AS MATERIALIZED (
    SELECT * FROM json_to_recordset($1::json) AS made (id text, key text, asked text, answer text, method text, status text, amount bigint,
      taken bigint, currency text, metadata jsonb, action text, "returnUrl" text, "failureCode" text, "succeedsAt" timestamptz,
      "disputeId" text, dispute text, "createdAt" timestamptz, events json)
  ), payment AS (
    INSERT INTO sandbox.payments (id, idempotency_key, request, answer, method, status, amount, taken, currency, metadata,
      action, return_url, failure_code, succeeds_at, dispute_id, dispute, created_at)
    SELECT id, key, asked, answer, method, status, amount, taken, currency, metadata, action, "returnUrl", "failureCode",
      "succeedsAt", "disputeId", dispute, "createdAt"
    FROM made
    ON CONFLICT (idempotency_key) DO NOTHING
    RETURNING id, metadata
  )
  INSERT INTO sandbox.events (id, type, payment, metadata, next_at)
  SELECT event.id, event.type, payment.id, payment.metadata, now() + event."delayMs" * interval '1 ms'
  FROM payment JOIN made ON made.id = payment.id,
    json_to_recordset(made.events) AS event (id text, type text, "delayMs" int)
  RETURNING ${EVENT}`,
};
