import type { Pool } from 'pg';
import { CREATE_REFUND_FUNCTION } from './create-refunds';

/** Any number that no other program would lock on the same database. */
const SCHEMA_LOCK = 7_499_101;

const TABLES = `
  CREATE SCHEMA IF NOT EXISTS sandbox;

  CREATE TABLE IF NOT EXISTS sandbox.account (
    id int PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    fail_one_in int NOT NULL DEFAULT 0,
    delay_ms int NOT NULL DEFAULT 0,
    answers_garbage boolean NOT NULL DEFAULT false,
    balance_exhausted boolean NOT NULL DEFAULT false
  );

  CREATE TABLE IF NOT EXISTS sandbox.payments (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    idempotency_key text NOT NULL UNIQUE,
    request text NOT NULL,
    answer text NOT NULL,
    method text NOT NULL,
    status text NOT NULL,
    amount bigint NOT NULL,
    taken bigint NOT NULL,
    refunded bigint NOT NULL DEFAULT 0,
    currency char(3) NOT NULL,
    metadata jsonb NOT NULL,
    action text UNIQUE,
    return_url text,
    failure_code text,
    succeeds_at timestamptz,
    dispute_id text UNIQUE,
    dispute text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (refunded >= 0 AND refunded <= taken)
  );
  ALTER TABLE sandbox.payments ADD COLUMN IF NOT EXISTS dispute_amount bigint;
  CREATE INDEX IF NOT EXISTS payments_created_idx ON sandbox.payments (created_at, number);
  CREATE INDEX IF NOT EXISTS payments_due_idx ON sandbox.payments (succeeds_at) WHERE succeeds_at IS NOT NULL;

  CREATE TABLE IF NOT EXISTS sandbox.refunds (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    idempotency_key text NOT NULL UNIQUE,
    payment text NOT NULL REFERENCES sandbox.payments (id),
    amount bigint NOT NULL,
    status text NOT NULL,
    failure_code text,
    metadata jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  );
  ALTER TABLE sandbox.refunds ADD COLUMN IF NOT EXISTS returns_at timestamptz;
  CREATE INDEX IF NOT EXISTS refunds_payment_idx ON sandbox.refunds (payment, number);
  CREATE INDEX IF NOT EXISTS refunds_returning_idx ON sandbox.refunds (returns_at) WHERE returns_at IS NOT NULL;

  CREATE TABLE IF NOT EXISTS sandbox.events (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL,
    type text NOT NULL,
    payment text NOT NULL,
    metadata jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    attempts int NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL
  );
  CREATE INDEX IF NOT EXISTS events_due_idx ON sandbox.events (next_at);`;

/** Makes the tables where they are missing. Of several processes that do so at once, one works and the others wait. */
export async function createSchema(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
    await client.query(TABLES);
    await client.query(CREATE_REFUND_FUNCTION);
    await client.query('INSERT INTO sandbox.account DEFAULT VALUES ON CONFLICT DO NOTHING');
    await client.query('COMMIT');
    client.release();
  } catch (error) {
    client.release(true); // closes the connection, and the transaction with it
    throw error;
  }
}

export async function hasSchema(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query<{ there: boolean }>(
    `SELECT to_regclass('sandbox.events') IS NOT NULL AS there`,
  );
  return rows[0]?.there === true;
}
