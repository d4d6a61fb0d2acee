import { ApiProperty } from '@nestjs/swagger';
import { ApiInteger } from '../http/api-docs';
import { MAX_ID } from '../http/fields';
import type { ScanOutcome } from './scan';
import { LONGEST_CODE, MOST_LATE_SCANS, NONCE } from './scan-body';
import { CHECK_IN_KINDS, SCAN_RESULTS, type CheckInKind, type ScanResult } from './scan-result';

export class CheckInDto {
  /**
   * What the code shows, whatever it is.
   * @example "eyJhbGciOiJFZERTQSIsImtpZCI6ImFaMyJ9.eyJ0IjoxLCJlIjoxLCJ5IjoxLCJnIjowfQ.2jwwaGFRq2xuzKHlEDM6DTSL5Sm2eIl_WgH6knLB_wIbHb2O9fBnqUS8VW5H1NOSB9LHd1WcFy9SBi-oU8bLCQ"
   */
  @ApiProperty({ type: String, minLength: 1, maxLength: LONGEST_CODE, required: false })
  token?: string;

  /** Instead of the token, where somebody was found by name. */
  @ApiProperty({ type: 'integer', minimum: 1, maximum: MAX_ID, required: false })
  ticket_id?: number;

  /**
   * A new one for each scan, such as a UUID: the same one gets the same answer, and nothing is done twice.
   * @example "1f0c7a52-0d0e-4c5f-9a41-8c2f8f0f2f5e"
   */
  @ApiProperty({ type: String, minLength: 1, maxLength: 64, pattern: NONCE.source })
  nonce: string;

  /** @example "entry" */
  @ApiProperty({ enum: CHECK_IN_KINDS })
  kind: CheckInKind;

  /**
   * By the device's clock; left out: now. A time to come counts as now. In a batch, it decides what the scan comes to.
   * @example "2030-01-01T19:00:00.000Z"
   */
  @ApiProperty({ type: String, format: 'date-time', required: false, nullable: true })
  scanned_at?: string | null;
}

export class CheckInBatchDto {
  @ApiProperty({ type: [CheckInDto], maxItems: MOST_LATE_SCANS })
  check_ins: CheckInDto[];
}

export class GateAttendeeDto {
  /** @example "Ada Lovelace" */
  name: string;
}

export class ScannedTicketDto {
  /** @example 1 */
  @ApiInteger()
  id: number;

  /** @example "Stalls" */
  ticket_type: string;

  /** Null where nobody is named. */
  @ApiProperty({ type: GateAttendeeDto, nullable: true })
  attendee: GateAttendeeDto | null;
}

export class ScanningDeviceDto {
  /** @example 1 */
  @ApiInteger()
  id: number;

  /** @example "North entrance, phone 2" */
  name: string;
}

export class EarlierScanDto {
  /** @example "2030-01-01T19:00:00.000Z" */
  scanned_at: Date;

  /** Null: an organizer's account. */
  @ApiProperty({ type: ScanningDeviceDto, nullable: true })
  device: ScanningDeviceDto | null;
}

export class CheckInResultDto {
  /**
   * `conflict`, of a late entry: another device has let the ticket in, too, and no exit between is known. `wrong_event`: the
   * code is of a ticket of another event, or the id of one of the same organizer; any other id is `not_valid`.
   * @example "admitted"
   */
  @ApiProperty({ enum: SCAN_RESULTS })
  result: ScanResult;

  /** Where it is a ticket of this event. */
  ticket?: ScannedTicketDto;

  /** What let the ticket in, or out, before. */
  earlier?: EarlierScanDto;
}

export class CheckInResultsDto {
  /** In the order in which they were sent. */
  @ApiProperty({ type: [CheckInResultDto] })
  check_ins: CheckInResultDto[];
}

const TICKET = { id: 1, ticket_type: 'Stalls', attendee: { name: 'Ada Lovelace' } };
const EARLIER = {
  scanned_at: '2030-01-01T19:00:00.000Z',
  device: { id: 2, name: 'South entrance' },
};

export const RESULT_EXAMPLES = {
  admitted: { summary: 'Let in', value: { result: 'admitted', ticket: TICKET } },
  already_in: { summary: 'In already', value: { result: 'already_in', ticket: TICKET, earlier: EARLIER } },
  not_valid: { summary: 'No ticket of ours', value: { result: 'not_valid' } },
};

/** @param outcome undefined where what was sent could not be read */
export const toResultDto = (outcome: ScanOutcome | undefined): CheckInResultDto => {
  if (!outcome) return { result: 'not_valid' };
  const { result, ticket, earlier } = outcome;
  return {
    result,
    ...(ticket && {
      ticket: {
        id: ticket.id,
        ticket_type: ticket.typeName,
        attendee: ticket.attendeeName === null ? null : { name: ticket.attendeeName },
      },
    }),
    ...(earlier && { earlier: { scanned_at: earlier.scannedAt, device: earlier.device } }),
  };
};
