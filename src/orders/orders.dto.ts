import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { ApiInteger } from '../http/api-docs';
import { Text } from '../http/fields';
import { CsvPageQuery } from '../http/csv';
import type { Metadata } from '../http/metadata';
import { ORDER_STATUSES, type OrderStatus } from '../inventory/order-status';
import { TICKET_EXAMPLES, TicketDto, toTicketDto } from '../tickets/tickets.dto';
import { ticketsOf, type OrderView } from './order-view';

export class EventOrdersQuery extends CsvPageQuery {
  /** Only orders in this state. */
  @IsOptional()
  @IsIn(ORDER_STATUSES, { message: `must be one of ${ORDER_STATUSES.join(', ')}` })
  @ApiPropertyOptional({ enum: ORDER_STATUSES })
  status?: OrderStatus;

  /** Only the order with this code, or those with this in the name or e-mail of the contact, or the buyer's e-mail. */
  @IsOptional()
  @Text(1, 100)
  q?: string;
}

export class OrderItemDto {
  /** @example 1 */
  @ApiInteger()
  ticket_type_id: number;

  /** @example "Stalls" */
  name: string;

  /** @example 2 */
  @ApiInteger()
  quantity: number;

  /**
   * Of one ticket, before the discount.
   * @example 1250
   */
  @ApiInteger()
  unit_price: number;

  /** @example 2500 */
  @ApiInteger()
  total: number;
}

export class ContactDto {
  /** @example "Ada Lovelace" */
  name: string;

  /** @example "ada@example.com" */
  email: string;
}

export class OrderDto {
  /**
   * Names the order in every address.
   * @example "7ZZFG2K9QX"
   */
  code: string;

  /** @example 1 */
  @ApiInteger()
  user_id: number;

  /** @example 1 */
  @ApiInteger()
  event_id: number;

  /** @example "held" */
  @ApiProperty({ enum: ORDER_STATUSES })
  status: OrderStatus;

  @ApiProperty({ type: [OrderItemDto] })
  items: OrderItemDto[];

  /**
   * Before the discount. All amounts are in the minor unit of the currency.
   * @example 2500
   */
  @ApiInteger()
  subtotal: number;

  /** @example 500 */
  @ApiInteger()
  discount: number;

  /** @example 2000 */
  @ApiInteger()
  total: number;

  /**
   * Null where the event has none: everything of it is free.
   * @example "EUR"
   */
  currency: string | null;

  /** @example 0 */
  @ApiInteger()
  amount_paid: number;

  /** @example 0 */
  @ApiInteger()
  amount_refunded: number;

  /** @example "2030-01-01T12:00:00.000Z" */
  created_at: Date;

  /**
   * From this instant on the order can't be paid.
   * @example "2030-01-01T12:02:00.000Z"
   */
  expires_at: Date;

  /**
   * Milliseconds left to pay, by the server's clock; only while held.
   * @example 120000
   */
  @ApiInteger()
  expires_in_ms?: number;

  /** Null until it is paid. */
  @ApiProperty({ example: null })
  paid_at: Date | null;

  /** Null where none was given: the buyer. */
  @ApiProperty({ type: ContactDto, nullable: true })
  contact: ContactDto | null;

  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' }, example: { cart: '8f3a' } })
  metadata: Metadata;

  @ApiProperty({ type: [TicketDto] })
  tickets: TicketDto[];
}

const TICKET = { ...TICKET_EXAMPLES.reserved.value, price: 1_000 };

/** An order of two, with a discount. */
export const ORDER_EXAMPLE = {
  code: '7ZZFG2K9QX',
  user_id: 1,
  event_id: 1,
  status: 'held',
  items: [{ ticket_type_id: 1, name: 'Stalls', quantity: 2, unit_price: 1_250, total: 2_500 }],
  subtotal: 2_500,
  discount: 500,
  total: 2_000,
  currency: 'EUR',
  amount_paid: 0,
  amount_refunded: 0,
  created_at: TICKET.created_at,
  expires_at: TICKET.expires_at,
  expires_in_ms: 120_000,
  paid_at: null,
  contact: { name: 'Ada Lovelace', email: 'ada@example.com' },
  metadata: { cart: '8f3a' },
  tickets: [
    { ...TICKET, attendee: { name: 'Ada Lovelace', email: 'ada@example.com' } },
    { ...TICKET, id: 2 },
  ],
};

export const CANCELLED_ORDER_EXAMPLE = {
  ...ORDER_EXAMPLE,
  status: 'cancelled',
  expires_in_ms: undefined,
  tickets: ORDER_EXAMPLE.tickets.map((ticket) => ({
    ...ticket,
    status: 'cancelled',
    expires_in_ms: undefined,
  })),
};

/** @param tokens those of its tickets, by their ids */
export const toOrderDto = (
  order: OrderView,
  code: string,
  tokens: ReadonlyMap<number, string>,
): OrderDto => ({
  code,
  user_id: order.userId,
  event_id: order.eventId,
  status: order.status,
  items: order.typeIds.map((ticket_type_id, i) => {
    const [quantity = 0, unit_price = 0] = [order.numbers[i], order.unitPrices?.[i]];
    return {
      ticket_type_id,
      name: order.typeNames[i] ?? '',
      quantity,
      unit_price,
      total: quantity * unit_price,
    };
  }),
  subtotal: order.total + order.discount,
  discount: order.discount,
  total: order.total,
  currency: order.currency,
  amount_paid: order.amountPaid,
  amount_refunded: order.amountRefunded,
  created_at: order.createdAt,
  expires_at: order.expiresAt,
  ...(order.status === 'held' && { expires_in_ms: order.expiresInMs }),
  paid_at: order.paidAt,
  contact:
    order.contactName === null || order.contactEmail === null
      ? null
      : { name: order.contactName, email: order.contactEmail },
  metadata: order.metadata ?? {},
  tickets: ticketsOf(order).map((ticket) => toTicketDto(ticket, code, tokens.get(ticket.id))),
});
