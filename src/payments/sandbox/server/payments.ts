import { randomBytes, randomUUID } from 'node:crypto';
import DataLoader from 'dataloader';
import type { Pool } from 'pg';
import { EVENT, LEASE_MS, type EventSender, type SandboxEvent } from './event-sender';
import { CREATE_PAYMENTS } from './create-payments';
import { METHODS, type Method } from './methods';
import { keyReused, notFound, Refusal } from './refusal';

export interface NewPayment {
  amount: number;
  currency: string;
  method: string;
  metadata: Record<string, string>;
  returnUrl?: string;
  expiresAt?: Date;
}

export interface PaymentRow {
  id: string;
  method: string;
  status: Method['status'] | 'cancelled';
  amount: number;
  taken: number;
  refunded: number;
  currency: string;
  metadata: Record<string, string>;
  action: string | null;
  returnUrl: string | null;
  failureCode: string | null;
  disputeId: string | null;
  dispute: 'open' | 'won' | 'lost' | null;
  disputeAmount: number;
  createdAt: Date;
}

const PAYMENT = `id, method, status, amount, taken, refunded, currency, metadata, action, return_url AS "returnUrl",
  failure_code AS "failureCode", dispute_id AS "disputeId", dispute, coalesce(dispute_amount, taken) AS "disputeAmount", created_at AS "createdAt"`;

/** Writes an event for each payment of the CTE `changed`, which names its `type`, and returns them. */
const EVENTS_OF_CHANGED = `
  INSERT INTO sandbox.events (id, type, payment, metadata, next_at)
  SELECT 'evt_' || replace(gen_random_uuid()::text, '-', ''), changed.type, changed.id, changed.metadata,
    now() + ${LEASE_MS} * interval '1 ms'
  FROM changed
  RETURNING ${EVENT}`;

/** What comes first, and what it is told about only after it. */
const REORDERED_BY_MS = 500;
const LONGEST_LIST = 100;
/** Requests within a few milliseconds of each other share a commit. */
export const TOGETHER = {
  cache: false,
  maxBatchSize: 100,
  batchScheduleFn: (dispatch: () => void) => void setTimeout(dispatch, 5),
};

interface NewRow extends PaymentRow {
  key: string;
  asked: string;
  answer: string;
  succeedsAt: Date | null;
  events: { id: string; type: string; delayMs: number }[];
}

/** The payments of the account. */
export class Payments {
  /** Those that are made at about the same time share a commit. Answers their events: none where the key is known. */
  private readonly insert = new DataLoader<NewRow, SandboxEvent[]>((rows) => this.insertAll(rows), TOGETHER);

  constructor(
    private readonly pool: Pool,
    private readonly sender: EventSender,
    private readonly actionUrl: (action: string) => string,
  ) {}

  /**
   * @returns the answer; the same for the same key
   * @throws {Refusal}
   */
  async create(key: string, request: NewPayment): Promise<{ answer: string; method: Method }> {
    const method = METHODS[request.method];
    if (method === undefined)
      throw new Refusal(400, 'unknown_method', `There is no method ${request.method.slice(0, 50)}.`);
    const payment = this.paymentOf(request, method);
    const answer = JSON.stringify(this.view(payment));
    const asked = JSON.stringify([request.amount, request.currency, request.method, request.metadata]);
    const events = eventsOf(payment, method);
    const rows = await this.insert.load({
      ...payment,
      key,
      asked,
      answer,
      succeedsAt: succeedsAt(request, method),
      events,
    });
    if (rows.length === 0)
      return { answer: await this.firstAnswer(key, asked), method: { status: 'succeeded' } };
    const sent = rows.filter(({ type }) => !(method.events === 'reordered' && type === 'payment.processing'));
    if (method.events === 'before the answer') await this.sender.sendNow(sent);
    else this.sender.send(sent);
    return { answer, method };
  }

  async get(id: string): Promise<PaymentRow> {
    return await this.find('id', id);
  }

  /**
   * @returns the payment as it then is
   * @throws {Refusal} `payment_processing`: its money is on its way
   */
  async cancel(id: string): Promise<PaymentRow> {
    await this.change(
      `UPDATE sandbox.payments SET status = 'cancelled'
      WHERE id = $1 AND (status IN ('requires_action', 'failed') OR status = 'processing' AND method = 'late')
      RETURNING id, metadata, 'payment.cancelled' AS type`,
      [id],
    );
    const payment = await this.get(id);
    if (payment.status === 'processing')
      throw new Refusal(409, 'payment_processing', 'A payment whose money is on its way is not cancelled.');
    return payment;
  }

  /** The buyer does what `requires_action` asks for. */
  async act(action: string): Promise<PaymentRow> {
    await this.change(
      `UPDATE sandbox.payments SET status = 'succeeded' WHERE action = $1 AND status = 'requires_action'
      RETURNING id, metadata, 'payment.succeeded' AS type`,
      [action],
    );
    return await this.find('action', action);
  }

  async byAction(action: string): Promise<PaymentRow> {
    return await this.find('action', action);
  }

  /** Lets those succeed whose time has come. */
  async succeedDue(): Promise<void> {
    await this.change(
      `UPDATE sandbox.payments SET status = 'succeeded', succeeds_at = NULL
      WHERE id IN (SELECT id FROM sandbox.payments WHERE succeeds_at <= now()
        ORDER BY succeeds_at LIMIT ${LONGEST_LIST} FOR UPDATE SKIP LOCKED)
      RETURNING id, metadata, 'payment.succeeded' AS type`,
      [],
    );
  }

  /** Oldest first. */
  async list(since: Date, after: string | undefined, limit = LONGEST_LIST): Promise<PaymentRow[]> {
    const { rows } = await this.pool.query<PaymentRow>(
      `SELECT ${PAYMENT} FROM sandbox.payments
      WHERE created_at >= $1 AND ($2::text IS NULL
        OR (created_at, number) > (SELECT created_at, number FROM sandbox.payments WHERE id = $2))
      ORDER BY created_at, number LIMIT $3`,
      [since, after, Math.min(limit, LONGEST_LIST)],
    );
    return rows;
  }

  /** Those that are open first, then the newest. */
  async disputed(): Promise<PaymentRow[]> {
    const { rows } = await this.pool.query<PaymentRow>(
      `SELECT ${PAYMENT} FROM sandbox.payments WHERE dispute IS NOT NULL ORDER BY dispute <> 'open', number DESC LIMIT ${LONGEST_LIST}`,
    );
    return rows;
  }

  /**
   * @param amount undefined: all that is left. One that was won may be followed by another, which then stands for it.
   * @throws {Refusal} where there is no money to dispute, or a dispute already
   */
  async dispute(id: string, amount?: number): Promise<PaymentRow> {
    const isOpened = await this.change(
      `UPDATE sandbox.payments SET dispute = 'open', dispute_id = $2, dispute_amount = coalesce($3, taken - refunded)
      WHERE id = $1 AND status = 'succeeded' AND coalesce(dispute, 'won') = 'won' AND coalesce($3, 1) <= taken - refunded
      RETURNING id, metadata, 'dispute.opened' AS type`,
      [id, newId('dp'), amount],
    );
    const payment = await this.get(id);
    if (!isOpened)
      throw new Refusal(409, 'not_disputable', 'There is nothing to dispute, or a dispute already.');
    return payment;
  }

  /** Ends a dispute; one that has ended stays as it is. */
  async endDispute(disputeId: string, dispute: 'won' | 'lost'): Promise<PaymentRow> {
    await this.change(
      `UPDATE sandbox.payments SET dispute = $2 WHERE dispute_id = $1 AND dispute = 'open'
      RETURNING id, metadata, 'dispute.' || $2 AS type`,
      [disputeId, dispute],
    );
    return await this.find('dispute_id', disputeId);
  }

  /** As callers see it. */
  readonly view = (payment: PaymentRow) => ({
    id: payment.id,
    status: payment.status,
    amount: payment.status === 'succeeded' ? payment.taken : payment.amount,
    refunded: payment.refunded,
    currency: payment.currency,
    method: payment.method,
    metadata: payment.metadata,
    ...(payment.action !== null &&
      payment.status === 'requires_action' && { redirect_url: this.actionUrl(payment.action) }),
    ...(payment.failureCode !== null && { failure_code: payment.failureCode }),
    ...(payment.dispute !== null && {
      dispute: { id: payment.disputeId, status: payment.dispute, amount: payment.disputeAmount },
    }),
    created_at: payment.createdAt.toISOString(),
  });

  /** @param update returns the `id`, `metadata` and event `type` of what it changed */
  private async change(update: string, values: unknown[]): Promise<boolean> {
    const { rows } = await this.pool.query<SandboxEvent>(
      `WITH changed AS (${update}) ${EVENTS_OF_CHANGED}`,
      values,
    );
    this.sender.send(rows);
    return rows.length > 0;
  }

  private async insertAll(payments: readonly NewRow[]): Promise<SandboxEvent[][]> {
    const values = [JSON.stringify(payments)];
    const { rows } = await this.pool.query<SandboxEvent>({ ...CREATE_PAYMENTS, values });
    return payments.map(({ id }) => rows.filter(({ payment }) => payment === id));
  }

  private async find(column: 'id' | 'action' | 'dispute_id', value: string): Promise<PaymentRow> {
    const { rows } = await this.pool.query<PaymentRow>({
      name: `payment_by_${column}`,
      text: `SELECT ${PAYMENT} FROM sandbox.payments WHERE ${column} = $1`,
      values: [value],
    });
    const [payment] = rows;
    if (!payment) throw notFound(column === 'dispute_id' ? 'dispute' : 'payment');
    return payment;
  }

  private async firstAnswer(key: string, asked: string): Promise<string> {
    const { rows } = await this.pool.query<{ request: string; answer: string }>(
      'SELECT request, answer FROM sandbox.payments WHERE idempotency_key = $1',
      [key],
    );
    const [first] = rows;
    if (first?.request !== asked) throw keyReused();
    return first.answer;
  }

  private paymentOf(request: NewPayment, method: Method): PaymentRow {
    return {
      id: newId('pay'),
      method: request.method,
      status: method.status,
      amount: request.amount,
      taken: method.takes?.(request.amount) ?? request.amount,
      refunded: 0,
      currency: request.currency,
      metadata: request.metadata,
      action: method.status === 'requires_action' ? randomBytes(24).toString('base64url') : null,
      returnUrl: request.returnUrl ?? null,
      failureCode: method.failureCode ?? null,
      disputeId: method.disputed ? newId('dp') : null,
      dispute: method.disputed ? 'open' : null,
      disputeAmount: method.takes?.(request.amount) ?? request.amount,
      createdAt: new Date(),
    };
  }
}

export const newId = (kind: string) => `${kind}_${randomUUID().replaceAll('-', '')}`;

function eventsOf({ status }: PaymentRow, { events, disputed }: Method) {
  const first = { id: newId('evt'), type: `payment.${status}`, delayMs: LEASE_MS };
  if (events === 'twice') return [first, first];
  if (disputed) return [first, { id: newId('evt'), type: 'dispute.opened', delayMs: LEASE_MS }];
  if (events === 'reordered')
    return [first, { id: newId('evt'), type: 'payment.processing', delayMs: REORDERED_BY_MS }];
  return [first];
}

function succeedsAt(
  { expiresAt }: NewPayment,
  { succeedsAfterMs, succeedsAfterHoldMs }: Method,
): Date | null {
  if (succeedsAfterMs !== undefined) return new Date(Date.now() + succeedsAfterMs);
  if (succeedsAfterHoldMs === undefined) return null;
  return new Date((expiresAt?.getTime() ?? Date.now()) + succeedsAfterHoldMs);
}
