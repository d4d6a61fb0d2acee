import { Injectable } from '@nestjs/common';
import { issuedAtIn, organizerIn, type OrganizerScope } from '../database/scope';
import { Statements, type Statement } from '../database/statements';
import type { KeyClaim } from '../idempotency/key-claim';
import { Problem } from '../problems/problem';
import { ordersEnded, type EndedOrders } from '../telemetry/channels';
import { CANCEL_HOLDS_OF_EVENT, CANCEL_PAID_ORDERS_OF_EVENT } from './cancel-orders.statements';
import { CANCELLATION, CLOSE_EVENT, CLOSE_EVENT_KEYED, refundsOfCancellation } from './close-event.statement';
import { runOnce } from './kept-outcome';
import { RETRY_REFUNDS_OF_EVENT } from './settle-refund.statements';

export { CANCELLATION_TOPIC } from './close-event.statement';

/** How a cancellation of an event stands. */
export interface Cancellation {
  status: 'running' | 'done' | 'stuck';
  /** All of its orders were gone through; refunds may still be under way. */
  isGoneThrough: boolean;
  /** What was paid in cash or by bank for its orders. */
  amountOwed: number;
  refundsTotal: number;
  refundsDone: number;
  refundsFailed: number;
  /** Why most of those failed. */
  failureCode: string | null;
}

type CloseAnswer = Cancellation & { isSeen: boolean; isTheirs: boolean; isDraft: boolean };

/**
 * Of one statement: each locks quotas for as long as it takes. Orders that are paid are looked at with all their tickets; a step
 * of so many is short enough for the rest after it to keep its share.
 */
const HOLDS_AT_ONCE = 2_000;
const ORDERS_AT_ONCE = 100;
const REFUNDS_AT_ONCE = 1_000;

/** Ends sales of an event for good, and then its orders, some at a time. */
@Injectable()
export class EventClosingService {
  constructor(private readonly statements: Statements) {}

  /**
   * Cancels an event: no order for it is placed from then on.
   *
   * @param claim the request's `Idempotency-Key`
   * @throws {Problem} `event_not_found`, `forbidden`, `event_not_published` for a draft
   */
  async close(eventId: number, scope: OrganizerScope, claim?: KeyClaim): Promise<Cancellation> {
    const values = [eventId, organizerIn(scope), issuedAtIn(scope)];
    const statement = { plain: CLOSE_EVENT, keyed: CLOSE_EVENT_KEYED };
    const answer = await runOnce<CloseAnswer>(this.statements, statement, values, claim);
    const { isSeen, isTheirs, isDraft, ...cancellation } = answer;
    if (!isSeen) throw new Problem('event_not_found');
    if (!isTheirs) throw new Problem('forbidden');
    if (isDraft) throw new Problem('event_not_published');
    return cancellation;
  }

  /** @returns undefined where the event was not cancelled */
  async find(eventId: number): Promise<Cancellation | undefined> {
    const [cancellation] = await this.statements.run<Cancellation>(FIND, [eventId]);
    return cancellation;
  }

  /** @returns whether all refunds that failed are tried again */
  async retrySomeRefunds(eventId: number): Promise<boolean> {
    const retried = await this.statements.change(RETRY_REFUNDS_OF_EVENT, [eventId, REFUNDS_AT_ONCE]);
    return retried.length < REFUNDS_AT_ONCE;
  }

  /** @returns whether all holds of the closed event have ended */
  async cancelSomeHolds(eventId: number): Promise<boolean> {
    const [answer] = await this.statements.change<{ found: number } & Ended>(CANCEL_HOLDS_OF_EVENT, [
      eventId,
      HOLDS_AT_ONCE,
    ]);
    tell(answer);
    return (answer?.found ?? 0) < HOLDS_AT_ONCE;
  }

  /** @returns whether all paid orders of the closed event have been looked at */
  async cancelSomePaidOrders(eventId: number): Promise<boolean> {
    const [answer] = await this.statements.run<{ isDone: boolean } & Ended>(CANCEL_PAID_ORDERS_OF_EVENT, [
      eventId,
      ORDERS_AT_ONCE,
    ]);
    tell(answer);
    return answer?.isDone ?? true;
  }
}

/** How many orders a statement ended, by what they are since. */
type Ended = Partial<Record<EndedOrders['status'], number>>;

function tell({ cancelled = 0, expired = 0 }: Ended = {}): void {
  for (const [status, number] of Object.entries({ cancelled, expired })) {
    if (number > 0) ordersEnded.publish({ status, number });
  }
}

const FIND: Statement = {
  name: 'find_cancellation',
  text: `
    SELECT ${CANCELLATION}
    FROM event_cancellations AS cancellation, LATERAL ${refundsOfCancellation('$1')} AS refund
    WHERE event_id = $1`,
};
