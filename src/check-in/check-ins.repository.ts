import { Injectable } from '@nestjs/common';
import { Statements } from '../database/statements';
import { CHECK_IN } from './check-ins.statements';
import type { ScanOutcome, ScanRequest } from './scan';
import type { ScanResult } from './scan-result';

interface CheckedInRow {
  /** Which of the requests, from 1 on. */
  n: number;
  /** Null: its device is not good. */
  result: ScanResult | null;
  isRepeated: boolean;
  ticketId: number | null;
  typeName: string;
  attendeeName: string | null;
  earlierAt: Date | null;
  earlierDeviceId: number | null;
  earlierDeviceName: string | null;
}

/** What a request came to. */
export interface CheckedIn {
  /** Undefined: its device is not good. */
  outcome: ScanOutcome | undefined;
  /** It was sent before, and has the answer of then. */
  isRepeated: boolean;
}

@Injectable()
export class CheckInsRepository {
  constructor(private readonly statements: Statements) {}

  /** @returns what each of the requests came to, in their order */
  async checkIn(requests: readonly ScanRequest[]): Promise<CheckedIn[]> {
    const rows = await this.statements.run<CheckedInRow>(CHECK_IN, [
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
    const answers: CheckedIn[] = [];
    for (const row of rows) answers[row.n - 1] = { outcome: outcomeIn(row), isRepeated: row.isRepeated };
    return answers;
  }
}

function outcomeIn(row: CheckedInRow): ScanOutcome | undefined {
  const { result, ticketId, typeName, attendeeName, earlierAt, earlierDeviceId, earlierDeviceName } = row;
  if (result === null) return undefined;
  return {
    result,
    ticket: ticketId === null ? null : { id: ticketId, typeName, attendeeName },
    earlier: earlierAt && {
      scannedAt: earlierAt,
      device: earlierDeviceId === null ? null : { id: earlierDeviceId, name: earlierDeviceName ?? '' },
    },
  };
}
