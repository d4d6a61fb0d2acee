/** What may become of an order: `held` is the only state that ends by itself. */
export const ORDER_STATUSES = ['held', 'paid', 'expired', 'cancelled', 'refunded'] as const;

export type OrderStatus = (typeof ORDER_STATUSES)[number];

/**
 * SQL: what an order is at a time. A hold that is due counts as expired even before anything has released it, unless its
 * money may be on the way.
 */
export const statusAt = (time: string) => `CASE
        WHEN orders.status = 'held' AND orders.expires_at <= ${time} AND NOT orders.is_paying THEN 'expired' ELSE orders.status
      END`;

export const STATUS_NOW = statusAt('now()');
