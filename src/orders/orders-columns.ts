import type { CsvColumn } from '../http/csv';
import type { OrderCodes } from '../inventory/order-codes';
import type { ExportedOrder } from './orders.repository';

/** What a table of orders shows, under the names that the JSON has. Sums are in the minor unit of the currency. */
export const columnsOfOrders = (codes: OrderCodes): CsvColumn<ExportedOrder>[] => [
  ['code', ({ id }) => codes.codeOf(id)],
  ['status', ({ status }) => status],
  ['user_id', ({ userId }) => userId],
  ['contact_name', ({ contactName }) => contactName],
  ['contact_email', ({ contactEmail }) => contactEmail],
  ['tickets', ({ places }) => places],
  ['subtotal', ({ total, discount }) => total + discount],
  ['discount', ({ discount }) => discount],
  ['total', ({ total }) => total],
  ['currency', ({ currency }) => currency],
  ['amount_paid', ({ amountPaid }) => amountPaid],
  ['amount_refunded', ({ amountRefunded }) => amountRefunded],
  ['created_at', ({ createdAt }) => createdAt],
  ['expires_at', ({ expiresAt }) => expiresAt],
  ['paid_at', ({ paidAt }) => paidAt],
];
