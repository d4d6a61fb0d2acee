import type { Pool, PoolClient } from 'pg';
import { EVENT, LEASE_MS, type EventSender, type SandboxEvent } from './event-sender';
import { newId } from './payments';
import { keyReused, notFound, Refusal } from './refusal';

export interface NewRefund {
  payment: string;
  amount: number;
  metadata: Record<string, string>;
}

export interface RefundRow {
  id: string;
  payment: string;
  amount: number;
  status: 'succeeded' | 'failed';
  failureCode: string | null;
  metadata: Record<string, string>;
  createdAt: Date;
}

const REFUND = `id, payment, amount, status, failure_code AS "failureCode", metadata, created_at AS "createdAt"`;

interface Refunded {
  method: string;
  status: string;
  left: number;
  dispute: string | null;
  isBalanceExhausted: boolean;
  refunds: number;
}

/** The refunds of the account. */
export class Refunds {
  constructor(
    private readonly pool: Pool,
    private readonly sender: EventSender,
  ) {}

  /**
   * @returns the refund; the same for the same key
   * @throws {Refusal} never more than was taken, at any concurrency
   */
  async create(key: string, request: NewRefund): Promise<RefundRow> {
    const client = await this.pool.connect();
    try {
      await client.query('BEGIN');
      const { refund, events } = await this.refund(client, key, request);
      await client.query('COMMIT');
      this.sender.send(events);
      return refund;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      throw error;
    } finally {
      client.release();
    }
  }

  /** Oldest first. */
  async ofPayment(payment: string): Promise<RefundRow[]> {
    const { rows } = await this.pool.query<RefundRow>(
      `SELECT ${REFUND} FROM sandbox.refunds WHERE payment = $1 ORDER BY number LIMIT 1000`,
      [payment],
    );
    return rows;
  }

  private async refund(client: PoolClient, key: string, request: NewRefund) {
    const payment = await lockPayment(client, request.payment);
    const earlier = await findByKey(client, key);
    if (earlier) {
      if (earlier.payment !== request.payment || earlier.amount !== request.amount) throw keyReused();
      return { refund: earlier, events: [] };
    }
    const failureCode = failureOf(payment, request.amount);
    if (failureCode === null)
      await client.query('UPDATE sandbox.payments SET refunded = refunded + $2 WHERE id = $1', [
        request.payment,
        request.amount,
      ]);
    const status = failureCode === null ? 'succeeded' : 'failed';
    const { rows } = await client.query<RefundRow>(
      `INSERT INTO sandbox.refunds (id, idempotency_key, payment, amount, status, failure_code, metadata)
      VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${REFUND}`,
      [newId('re'), key, request.payment, request.amount, status, failureCode, request.metadata],
    );
    const events = await client.query<SandboxEvent>(
      `INSERT INTO sandbox.events (id, type, payment, metadata, next_at)
      SELECT $1, $2, id, metadata || $5, now() + $4 * interval '1 ms' FROM sandbox.payments WHERE id = $3
      RETURNING ${EVENT}`,
      [newId('evt'), `refund.${status}`, request.payment, LEASE_MS, request.metadata],
    );
    return { refund: rows[0] as RefundRow, events: events.rows };
  }
}

/** Only what is read after the lock is true: a statement that waited for it would still see what was before. */
async function lockPayment(client: PoolClient, id: string): Promise<Refunded> {
  await client.query('SELECT FROM sandbox.payments WHERE id = $1 FOR UPDATE', [id]);
  const { rows } = await client.query<Refunded>(
    `SELECT method, status, taken - refunded AS left, dispute, balance_exhausted AS "isBalanceExhausted",
      (SELECT count(*) FROM sandbox.refunds WHERE payment = payments.id) AS refunds
    FROM sandbox.payments, sandbox.account WHERE payments.id = $1`,
    [id],
  );
  const [payment] = rows;
  if (!payment) throw notFound('payment');
  return payment;
}

async function findByKey(client: PoolClient, key: string): Promise<RefundRow | undefined> {
  const { rows } = await client.query<RefundRow>(
    `SELECT ${REFUND} FROM sandbox.refunds WHERE idempotency_key = $1`,
    [key],
  );
  return rows[0];
}

/**
 * @returns why the refund fails now, and may succeed another time; null where it succeeds
 * @throws {Refusal} for what never succeeds
 */
function failureOf(payment: Refunded, amount: number): string | null {
  if (payment.status !== 'succeeded')
    throw new Refusal(409, 'payment_not_succeeded', 'There is no money to give back.');
  if (payment.dispute === 'open' || payment.dispute === 'lost')
    throw new Refusal(409, 'payment_disputed', "The buyer's bank has taken this money back.");
  if (amount > payment.left)
    throw new Refusal(409, 'refund_too_large', 'The refund is larger than what is left of the payment.');
  if (payment.isBalanceExhausted) return 'balance_insufficient';
  return payment.method === 'refund_fails' && payment.refunds === 0 ? 'refund_declined' : null;
}
