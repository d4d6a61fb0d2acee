import type { DataSource } from 'typeorm';
import { installationName } from '../../../src/payments/our-metadata';
import type { PostgresServer } from '../system/postgres';
import { openPricedEvent } from './priced-event';

/**
 * An event of which so many orders, of one to three tickets, were paid through the sandbox: in its books, too.
 *
 * @returns its id
 */
export async function openPaidEvent(
  postgres: PostgresServer,
  users: readonly number[],
  count: number,
): Promise<number> {
  const { id, type, price } = await openPricedEvent(postgres, count * 3);
  const installation = await installationName({ query: (text: string) => postgres.sql(text) } as DataSource);
  await postgres.sql(
    `WITH made AS (
      INSERT INTO orders (user_id, event_id, status, places, created_at, expires_at, paid_at, type_ids, numbers, quota_ids,
        quota_numbers, unit_prices, total, amount_paid, currency)
      SELECT ($1::bigint[])[1 + n % cardinality($1)], $2, 'paid', places, now(), now() + interval '1 hour', now(), ARRAY[id], ARRAY[places],
        quota_ids, ARRAY[places], ARRAY[price], places * price, places * price, 'EUR'
      FROM ticket_types, generate_series(1, $3) AS n, LATERAL (SELECT (1 + n % 3)::int AS places) AS size
      WHERE id = $4 ORDER BY n
      RETURNING *
    ), issued AS (
      INSERT INTO tickets (order_id, ticket_type_id, price)
      SELECT id, type_ids[1], $5 FROM made, generate_series(1, places) ORDER BY id
    ), sold AS (
      UPDATE quotas SET sold = (SELECT sum(places) FROM made) WHERE event_id = $2
    ), payment AS (
      INSERT INTO payments (order_id, event_id, provider, provider_payment, status, amount, taken, currency, created_at, closed_at)
      SELECT id, event_id, 'sandbox', 'pay_filled_' || id, 'succeeded', total, total, currency, now(), now() FROM made ORDER BY id
      RETURNING *
    ), charge AS (
      INSERT INTO ledger (order_id, payment_id, kind, amount, currency, created_at)
      SELECT order_id, id, 'charge', amount, currency, now() FROM payment
    )
    INSERT INTO sandbox.payments (id, idempotency_key, request, answer, method, status, amount, taken, currency, metadata)
    SELECT provider_payment, provider_payment, '', '', 'ok', 'succeeded', amount, amount, currency,
      jsonb_build_object('installation', $6::text, 'payment_id', id::text)
    FROM payment`,
    [users, id, count, type, price, installation],
  );
  return id;
}
