import { Injectable } from '@nestjs/common';
import { Statements } from '../database/statements';
import { CHECK_IN } from './check-in.statement';
import type { ScanOutcome, ScanRequest } from './scan';
import type { ScanResult } from './scan-result';

interface ScanRow {
  isKnown: boolean;
  isRepeated: boolean;
  result: ScanResult | null;
  ticketId: number | null;
  typeName: string | null;
  attendeeName: string | null;
  earlierScannedAt: Date | null;
  earlierDeviceId: number | null;
  earlierDeviceName: string | null;
}

export interface ScanAnswer extends ScanOutcome {
  /** The same nonce came before. */
  isRepeated: boolean;
}

@Injectable()
export class CheckInsRepository {
  constructor(private readonly statements: Statements) {}

  /**
   * @param requests no two of one device with the same nonce
   * @returns an answer per request; undefined where its device is not good any more
   * @throws a violation of a unique index where another process was quicker with one of the tickets
   */
  async checkIn(requests: readonly ScanRequest[]): Promise<(ScanAnswer | undefined)[]> {
    const rows = await this.statements.run<ScanRow>(CHECK_IN, [
      requests.map(({ eventId }) => eventId),
      requests.map(({ deviceId }) => deviceId),
      requests.map(({ userId }) => userId),
      requests.map(({ nonce }) => nonce),
      requests.map(({ ticketId }) => ticketId),
      requests.map(({ generation }) => generation),
      requests.map(({ kind }) => kind),
      requests.map(({ scannedAt }) => scannedAt),
      requests.map(({ isLate }) => isLate),
    ]);
    return rows.map(answerIn);
  }
}

function answerIn(row: ScanRow): ScanAnswer | undefined {
  if (!row.isKnown || row.result === null) return undefined;
  const {
    ticketId: id,
    typeName,
    attendeeName,
    earlierScannedAt: scannedAt,
    earlierDeviceId: deviceId,
  } = row;
  return {
    result: row.result,
    isRepeated: row.isRepeated,
    ticket: id === null ? null : { id, typeName: typeName ?? '', attendeeName },
    earlier: scannedAt && {
      scannedAt,
      device: deviceId === null ? null : { id: deviceId, name: row.earlierDeviceName ?? '' },
    },
  };
}
