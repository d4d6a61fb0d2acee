import { Injectable } from '@nestjs/common';
import { Statements, type Statement } from '../database/statements';
import { OWED_REFUND } from '../inventory/payment-states';

/** How the money stands that is on its way. */
export interface TillState {
  refundsPending: number;
  /** Those that are still owed. */
  refundsFailed: number;
  /** Open though the hold has ended. */
  paymentsOverdue: number;
  /** 0 where there never was a payment at a provider. */
  reconciledSecondsAgo: number;
  /** Between our books and those of the provider, but for refunds that failed, and of the latest orders with the ledger. */
  differences: number;
}

/** Looks at the money that is on its way, bounded to be cheap; `npm run doctor` looks at all. */
@Injectable()
export class TillWatch {
  constructor(private readonly statements: Statements) {}

  async look(): Promise<TillState> {
    const [state] = await this.statements.run<TillState & object>(LOOK, []);
    return state as TillState;
  }
}

const LOOK: Statement = {
  text: `
    SELECT
      (SELECT count(*)::int FROM (SELECT FROM refunds WHERE status <> 'succeeded' AND status = 'pending' LIMIT 10001) AS r)
        AS "refundsPending",
      (SELECT count(*)::int FROM (
        SELECT FROM refunds JOIN payments ON payments.id = payment_id WHERE refunds.status <> 'succeeded' AND ${OWED_REFUND}
        LIMIT 10001
      ) AS r)
        AS "refundsFailed",
      (SELECT count(*)::int FROM (
        SELECT FROM payments JOIN orders ON orders.id = order_id
        WHERE payments.status IN ('requires_action', 'processing') AND orders.expires_at < now() - interval '2 minutes'
        LIMIT 10001
      ) AS p) AS "paymentsOverdue",
      coalesce((SELECT extract(epoch FROM now() - max(walked_at))::float8 FROM reconciliations), 0) AS "reconciledSecondsAgo",
      (SELECT count(*)::int FROM reconciliations, jsonb_array_elements(differences) AS found WHERE found ->> 'kind' <> 'refund_failed') + (
        SELECT count(*)::int
        FROM (SELECT id, amount_paid, amount_refunded FROM orders ORDER BY id DESC LIMIT 200) AS latest
        WHERE amount_paid - amount_refunded <> (
          SELECT coalesce(sum(amount), 0) FROM ledger WHERE order_id = latest.id AND kind IN ('charge', 'refund', 'refund_failed')
        )
      ) AS differences`,
};
