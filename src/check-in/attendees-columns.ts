import type { CsvColumn } from '../http/csv';
import type { OrderCodes } from '../inventory/order-codes';
import type { AttendeeView } from './gate.repository';

/** What a table of attendees shows, under the names that the JSON has. */
export const columnsOfAttendees = (codes: OrderCodes): CsvColumn<AttendeeView>[] => [
  ['ticket_id', ({ ticketId }) => ticketId],
  ['ticket_type', ({ typeName }) => typeName],
  ['order_code', ({ orderId }) => codes.codeOf(orderId)],
  ['status', ({ status }) => status],
  ['attendee_name', ({ attendeeName }) => attendeeName],
  ['attendee_email', ({ attendeeEmail }) => attendeeEmail],
  ['buyer_name', ({ buyerName }) => buyerName],
  ['buyer_email', ({ buyerEmail }) => buyerEmail],
  ['checked_in', ({ checkedInAt }) => checkedInAt !== null],
  ['is_inside', ({ isInside }) => isInside],
  ['checked_in_at', ({ checkedInAt }) => checkedInAt],
];
