import { DISPUTE_TRANSITIONS, leadsTo } from './payment-states';

/** What a provider says of one dispute about a payment: a bank may dispute a part of it, and others after it. */
export interface DisputeNews {
  /** The provider's id. */
  id: string;
  status: 'open' | 'won' | 'lost';
  /** In the minor unit of the payment's currency. */
  amount: number;
}

/**
 * SQL: joins the `disputes` of the row `payment` as they are after the news in `said.disputes`, as they were
 * `before`, `dispute`, the state of all, and `lost`, what banks have taken for good. The row is locked, so that each dispute counts once.
 */
export const JOIN_DISPUTES = `
  CROSS JOIN LATERAL (
    -- One of a build that kept no ids, and counted the whole payment, is the oldest that the provider has.
    SELECT CASE WHEN payment.dispute IS NOT NULL AND payment.disputes = '{}' AND jsonb_array_length(said.disputes) > 0
        THEN jsonb_build_object(said.disputes -> 0 ->> 'id',
          jsonb_build_object('status', payment.dispute, 'amount', coalesce(payment.taken, payment.amount)))
        ELSE payment.disputes
      END AS disputes
  ) AS before
  CROSS JOIN LATERAL (
    SELECT before.disputes || coalesce(jsonb_object_agg(heard.id, jsonb_build_object(
        'status', heard.status, 'amount', coalesce(before.disputes -> heard.id -> 'amount', to_jsonb(heard.amount))
      )), '{}') AS disputes
    FROM jsonb_to_recordset(said.disputes) AS heard (id varchar, status varchar, amount bigint)
    WHERE ${leadsTo(DISPUTE_TRANSITIONS, `coalesce(before.disputes -> heard.id ->> 'status', 'none')`, 'heard.status')}
  ) AS after
  CROSS JOIN LATERAL (
    SELECT after.disputes, before.disputes AS before, CASE
        WHEN after.disputes @? '$.*.status ? (@ == "open")' THEN 'open'
        WHEN after.disputes @? '$.*.status ? (@ == "lost")' THEN 'lost'
        WHEN after.disputes <> '{}' THEN 'won'
        ELSE payment.dispute
      END AS dispute,
      CASE WHEN after.disputes = '{}' THEN payment.lost ELSE (
        SELECT coalesce(sum((value ->> 'amount')::bigint), 0) FROM jsonb_each(after.disputes) WHERE value ->> 'status' = 'lost'
      ) END AS lost
  ) AS disputed`;

/** SQL: what the ledger has to say of `disputes` that were `before`. */
export const DISPUTE_ENTRIES = `
  SELECT source, kind, CASE kind WHEN 'dispute' THEN -amount ELSE amount END AS moved
  FROM (
    SELECT key AS source, (value ->> 'amount')::bigint AS amount, CASE
        WHEN before -> key IS NULL AND value ->> 'status' <> 'won' THEN 'dispute'
        WHEN before -> key ->> 'status' = 'open' AND value ->> 'status' = 'won' THEN 'dispute_won'
      END AS kind
    FROM jsonb_each(disputes)
  ) AS line
  WHERE kind IS NOT NULL AND amount > 0`;
