import DataLoader from 'dataloader';
import type { Pool } from 'pg';
import { CREATE_REFUNDS, RETURN_REFUNDS } from './create-refunds';
import type { EventSender, SandboxEvent } from './event-sender';
import { newId, TOGETHER } from './payments';
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

type Answer = RefundRow & {
  refusal: string | null;
  event: (Omit<SandboxEvent, 'createdAt'> & { created_at: string }) | null;
};

/** Why a refund can never be. */
const REFUSALS: Record<string, () => Refusal> = {
  not_found: () => notFound('payment'),
  idempotency_key_reused: keyReused,
  payment_not_succeeded: () => new Refusal(409, 'payment_not_succeeded', 'There is no money to give back.'),
  payment_disputed: () => new Refusal(409, 'payment_disputed', "The buyer's bank has taken this money back."),
  refund_too_large: () =>
    new Refusal(409, 'refund_too_large', 'The refund is larger than what is left of the payment.'),
};

/** The refunds of the account. */
export class Refunds {
  /** Those that are asked for at about the same time share a commit. */
  private readonly insert = new DataLoader<NewRefund & { key: string }, Answer>(
    (requests) => this.insertAll(requests),
    TOGETHER,
  );

  constructor(
    private readonly pool: Pool,
    private readonly sender: EventSender,
  ) {}

  /**
   * @returns the refund; the same for the same key
   * @throws {Refusal} never more than was taken, at any concurrency
   */
  async create(key: string, request: NewRefund): Promise<RefundRow> {
    const { refusal, event, ...refund } = await this.insert.load({ ...request, key });
    if (refusal !== null) throw (REFUSALS[refusal] as () => Refusal)();
    if (event) this.sender.send([{ ...event, createdAt: new Date(event.created_at) }]);
    return refund;
  }

  /** Lets the money come back that is to. */
  async returnDue(): Promise<void> {
    const { rows } = await this.pool.query<SandboxEvent>(RETURN_REFUNDS);
    this.sender.send(rows);
  }

  /** Oldest first. */
  async ofPayment(payment: string): Promise<RefundRow[]> {
    const { rows } = await this.pool.query<RefundRow>(
      `SELECT id, payment, amount, status, failure_code AS "failureCode", metadata, created_at AS "createdAt"
      FROM sandbox.refunds WHERE payment = $1 ORDER BY number LIMIT 1000`,
      [payment],
    );
    return rows;
  }

  private async insertAll(requests: readonly (NewRefund & { key: string })[]): Promise<Answer[]> {
    const asked = requests.map((request, n) => ({ ...request, n, id: newId('re'), event: newId('evt') }));
    const { rows } = await this.pool.query<Answer>({ ...CREATE_REFUNDS, values: [JSON.stringify(asked)] });
    return rows;
  }
}
