import type { CsvColumn } from '../http/csv';
import type { OrderCodes } from '../inventory/order-codes';
import type { PaymentView } from './payments.repository';

/** What a table of payments shows, under the names that the JSON has. */
export const columnsOfPayments = (codes: OrderCodes): CsvColumn<PaymentView>[] => [
  ['id', ({ id }) => id],
  ['order_code', ({ orderId }) => codes.codeOf(orderId)],
  ['provider', ({ provider }) => provider],
  ['status', ({ status }) => status],
  ['amount', ({ amount }) => amount],
  ['currency', ({ currency }) => currency],
  ['reference', ({ reference }) => reference],
  ['created_at', ({ createdAt }) => createdAt],
];
