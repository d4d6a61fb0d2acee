import { Injectable } from '@nestjs/common';
import { buyerIn, issuedAtIn, type Scope } from '../database/scope';
import { Statements } from '../database/statements';
import { keyValues, type KeyClaim } from '../idempotency/key-claim';
import { BEGIN_KEYED_PAYMENTS, BEGIN_PAYMENTS } from './begin-payments.statement';
import type { Keyed } from './kept-outcome';
import { createOrderBatcher } from './order-batches';
import type { OrderStatus } from './order-status';
import { StuckRows } from './stuck-rows';

export interface BeginRequest {
  orderId: number;
  scope: Scope;
  provider: string;
  /** The provider's word for how it is paid. */
  method?: string;
  returnUrl?: string;
  /** Left out where the request has no `Idempotency-Key`. */
  claim?: KeyClaim;
}

export interface BegunPayment {
  /** Null where there is no such order. */
  orderId: number | null;
  /** Null where no payment was begun. */
  id: number | null;
  /** Of the order. */
  status: OrderStatus;
  /** A payment of it is open. */
  isPaying: boolean;
  /** Its hold has ended. */
  isDue: boolean;
  paidAt: Date | null;
  expiresAt: Date;
  /** What the order costs. */
  amount: number;
  /** It is held and costs nothing, or was sold for nothing to the same request. */
  isFree: boolean;
  currency: string | null;
  method: string | null;
  returnUrl: string | null;
}

type Begun = Omit<BegunPayment, 'isFree'>;
type Answer = Keyed<Begun & { stuckEventId: null }>;

/** Opens payments of orders, for many at once, before their provider hears of them. */
@Injectable()
export class PaymentOpening {
  /** @throws {Problem | StoredAnswer} as `KeyClaim.settle` */
  readonly begin: (request: BeginRequest) => Promise<BegunPayment>;

  constructor(
    private readonly statements: Statements,
    stuck: StuckRows,
  ) {
    this.begin = createOrderBatcher<BeginRequest & { ticketId?: undefined }, Answer, BegunPayment>(stuck, {
      name: 'begin_payments',
      run: (requests, _stuckEventIds, patienceMs) => this.run(requests, patienceMs),
      outcomeOf: (answer, { claim }) => {
        // An outcome is kept only of a sale for nothing, which answers again by itself; a payment's answer is kept as it is.
        if (answer.verdict === 'replay' && answer.outcome) return { ...answer, isFree: true };
        try {
          const begun = claim ? claim.settle<Begun>(answer, answer) : answer;
          return { ...begun, isFree: begun.status === 'held' && begun.amount === 0 };
        } catch (error) {
          return error as Error;
        }
      },
    });
  }

  private async run(requests: readonly BeginRequest[], patienceMs: number): Promise<Answer[]> {
    // The API has one provider.
    const values = [JSON.stringify(requests.map(rowOf)), requests[0]?.provider, patienceMs];
    const claims = requests.map(({ claim }) => claim);
    if (!claims.some(Boolean)) return await this.statements.run<Answer>(BEGIN_PAYMENTS, values);
    // Nothing is to be kept by the statement: its parameter would have no type.
    const keys = keyValues(claims).slice(0, 3);
    return await this.statements.run<Answer>(BEGIN_KEYED_PAYMENTS, [...values, ...keys]);
  }
}

const rowOf = ({ orderId, scope, method, returnUrl, claim }: BeginRequest, i: number) => ({
  n: i + 1,
  order_id: orderId,
  buyer_id: buyerIn(scope),
  issued_at: issuedAtIn(scope),
  method,
  return_url: returnUrl,
  request: claim?.ciphers[0] && `\\x${claim.ciphers[0].fingerprint.toString('hex')}`,
});
