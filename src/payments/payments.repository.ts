import { Injectable } from '@nestjs/common';
import { buyerIn, buyerThere, issuedAtIn, orderInScope, type OrderScope } from '../database/scope';
import { Statements, type Statement } from '../database/statements';
import type { Payment } from './payment.entity';

export type PaymentView = Pick<
  Payment,
  'id' | 'orderId' | 'provider' | 'status' | 'amount' | 'currency' | 'reference' | 'createdAt'
>;

const PAYMENT = `payments.id, payments.order_id AS "orderId", provider, payments.status, amount, payments.currency, reference,
      payments.created_at AS "createdAt"`;

/** Of the order `$1`, if it is in the scope of `$2` to `$4`. */
const LIST_BY_ORDER: Statement = {
  text: `
    SELECT ${PAYMENT}
    FROM (SELECT ${buyerThere('$2::bigint', '$3::bigint')} AS id) AS caller
    JOIN orders ON orders.id = $1 AND ${orderInScope('caller.id', '$4::bool', 'orders')}
    JOIN payments ON payments.order_id = orders.id
    WHERE payments.id < $5
    ORDER BY payments.id DESC LIMIT $6`,
};

const LIST_BY_EVENT: Statement = {
  text: `SELECT ${PAYMENT} FROM payments WHERE event_id = $1 AND id < $2 ORDER BY payments.id DESC LIMIT $3`,
};

@Injectable()
export class PaymentsRepository {
  constructor(private readonly statements: Statements) {}

  /** Newest first, from behind the payment `before`. */
  async listByOrder(
    orderId: number,
    scope: OrderScope,
    before: number,
    limit: number,
  ): Promise<PaymentView[]> {
    const values = [orderId, buyerIn(scope), issuedAtIn(scope), scope.by === 'party', before, limit];
    return await this.statements.list<PaymentView>(LIST_BY_ORDER, values);
  }

  /** Newest first, from behind the payment `before`. */
  async listByEvent(eventId: number, before: number, limit: number): Promise<PaymentView[]> {
    return await this.statements.list<PaymentView>(LIST_BY_EVENT, [eventId, before, limit]);
  }
}
