import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsObject, IsOptional, ValidateNested } from 'class-validator';
import { Email, Id, Int, ListOf, MayBeLeftOut, Text } from '../http/fields';
import { IsMetadata, type Metadata } from '../http/metadata';
import type { Subject } from '../database/scope';
import type { HoldRequest } from '../inventory/held-order';
import { Problem, type FieldError } from '../problems/problem';
import { codeKey } from '../text/code-key';
import { AttendeeBody } from '../tickets/attendee.dto';

const MOST_ITEMS = 20;
const MOST_TICKETS = 100;

export class OrderItemBody {
  /** @example 1 */
  @Id()
  ticket_type_id: number;

  /** @example 2 */
  @Int(1, MOST_TICKETS)
  quantity: number;

  /** Of the first of these tickets; the others may be named later. */
  @IsOptional()
  @ApiPropertyOptional({ type: [AttendeeBody], maxItems: MOST_TICKETS })
  @ListOf(() => AttendeeBody, 0, MOST_TICKETS)
  attendees?: AttendeeBody[] | null;
}

export class ContactBody {
  /** @example "Ada Lovelace" */
  @Text(1, 100)
  name: string;

  /** @example "ada@example.com" */
  @Email()
  email: string;
}

export class PlaceOrderDto {
  /**
   * The buyer; left out: the caller. Only an admin may name another user.
   * @example 1
   */
  @MayBeLeftOut()
  @Id()
  user_id?: number;

  /** @example 1 */
  @Id()
  event_id: number;

  /** At most 100 tickets together; each type once. */
  @ApiProperty({ type: [OrderItemBody], minItems: 1, maxItems: MOST_ITEMS })
  @ListOf(() => OrderItemBody, 1, MOST_ITEMS)
  items: OrderItemBody[];

  /**
   * Opens hidden types, or gives a discount; case does not matter.
   * @example "EARLY"
   */
  @IsOptional()
  @Text(1, 50)
  code?: string | null;

  /** Whom to write to; left out: the buyer. */
  @IsOptional()
  @IsObject({ message: 'must be an object' })
  @ValidateNested()
  @Type(() => ContactBody)
  contact?: ContactBody | null;

  /**
   * Your own references, which the API keeps and does not read.
   * @example { "cart": "8f3a" }
   */
  @IsOptional()
  @IsMetadata()
  metadata?: Metadata | null;
}

/**
 * What the buyer asks for.
 *
 * @param more the request's `Idempotency-Key`, and the network that is counted
 * @throws {Problem} `validation_failed` where items don't fit together
 */
export function toOrder(
  body: PlaceOrderDto,
  { userId, issuedAt }: Subject,
  { claim, network }: Pick<HoldRequest, 'claim' | 'network'>,
): HoldRequest {
  const errors: FieldError[] = [];
  const types = new Set<number>();
  let tickets = 0;
  body.items.forEach(({ ticket_type_id, quantity, attendees }, i) => {
    const refuse = (field: string, detail: string) =>
      errors.push({ pointer: `/items/${i}/${field}`, detail });
    if (types.has(ticket_type_id))
      refuse('ticket_type_id', 'is that of an item before: ask for each type once');
    types.add(ticket_type_id);
    tickets += quantity;
    if (tickets > MOST_TICKETS && tickets - quantity <= MOST_TICKETS)
      refuse('quantity', `makes more than ${MOST_TICKETS} tickets in all`);
    if ((attendees?.length ?? 0) > quantity) refuse('attendees', `must be at most ${quantity}, one a ticket`);
  });
  if (errors.length > 0) throw new Problem('validation_failed', { errors });
  return {
    userId,
    issuedAt,
    eventId: body.event_id,
    items: body.items.map(({ ticket_type_id, quantity, attendees }) => ({
      ticketTypeId: ticket_type_id,
      quantity,
      attendees: attendees?.length
        ? attendees.map(({ name, email }) => ({ name, email: email ?? null }))
        : undefined,
    })),
    code: body.code == null ? undefined : codeKey(body.code),
    contact: body.contact ? { name: body.contact.name, email: body.contact.email } : undefined,
    metadata: body.metadata ?? undefined,
    claim,
    network,
  };
}
