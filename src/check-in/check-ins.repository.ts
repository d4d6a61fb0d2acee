import { Injectable } from '@nestjs/common';
import { Statements } from '../database/statements';
import { ADD_CHECK_INS, FIND_SCANNED } from './check-ins.statements';
import type { Passage, ScannedTicket } from './decide';
import type { ScanRequest } from './scan';
import type { CheckInKind, ScanResult } from './scan-result';

/** What there is to know for a scan. */
export interface Scanned {
  /** Of the check-in that it is to be. */
  id: number;
  now: Date;
  /** Whether its device is good. */
  isKnown: boolean;
  deviceName: string | null;
  /** What it came to, where it was sent before; the ticket and the passage are then those of then. */
  keptResult: ScanResult | null;
  ticket: (ScannedTicket & { typeName: string; attendeeName: string | null }) | null;
  last: Passage | null;
}

/** A scan that is to be kept. */
export interface NewCheckIn {
  id: number;
  eventId: number;
  deviceId: number | null;
  userId: number | null;
  nonce: string;
  ticketId: number | null;
  kind: CheckInKind;
  result: ScanResult;
  passage: number | null;
  scannedAt: Date;
  receivedAt: Date;
  earlierId: number | null;
}

type ScannedRow = Pick<Scanned, 'id' | 'now' | 'isKnown' | 'deviceName' | 'keptResult'> &
  Omit<ScannedTicket, 'id'> & {
    ticketId: number | null;
    typeName: string;
    attendeeName: string | null;
    lastId: number | null;
    passage: number;
    lastScannedAt: Date;
    lastDeviceId: number | null;
    lastDeviceName: string | null;
    lastUserId: number | null;
  };

const COLUMNS = [
  'id',
  'eventId',
  'deviceId',
  'userId',
  'nonce',
  'ticketId',
  'kind',
  'result',
  'passage',
  'scannedAt',
  'receivedAt',
  'earlierId',
] as const satisfies (keyof NewCheckIn)[];

@Injectable()
export class CheckInsRepository {
  constructor(private readonly statements: Statements) {}

  /** @returns what there is to know, in the order of the requests */
  async find(requests: readonly ScanRequest[]): Promise<Scanned[]> {
    const rows = await this.statements.run<ScannedRow>(FIND_SCANNED, [
      requests.map(({ eventId }) => eventId),
      requests.map(({ deviceId }) => deviceId),
      requests.map(({ userId }) => userId),
      requests.map(({ nonce }) => nonce),
      requests.map(({ ticketId }) => ticketId),
    ]);
    return rows.map(scannedIn);
  }

  /** @throws a violation of a unique index where another process was quicker with one of the tickets, or of the nonces */
  async add(checkIns: readonly NewCheckIn[]): Promise<void> {
    if (checkIns.length === 0) return;
    const sorted = checkIns.toSorted(
      (a, b) => (a.ticketId ?? 0) - (b.ticketId ?? 0) || (a.passage ?? 0) - (b.passage ?? 0),
    );
    const columns = COLUMNS.map((column) => sorted.map((checkIn) => checkIn[column]));
    await this.statements.run(ADD_CHECK_INS, columns);
  }
}

function scannedIn(row: ScannedRow): Scanned {
  const { id, now, isKnown, deviceName, keptResult, ticketId, lastId } = row;
  return {
    id,
    now,
    isKnown,
    deviceName,
    keptResult,
    ticket: ticketId === null ? null : { ...row, id: ticketId },
    last:
      lastId === null
        ? null
        : {
            id: lastId,
            passage: row.passage,
            scannedAt: row.lastScannedAt,
            deviceId: row.lastDeviceId,
            deviceName: row.lastDeviceName,
            userId: row.lastUserId,
          },
  };
}
