/** What may become of an order: `held` is the only state that ends by itself. */
export const ORDER_STATUSES = ['held', 'paid', 'expired', 'cancelled', 'refunded'] as const;

export type OrderStatus = (typeof ORDER_STATUSES)[number];
