import type { CheckInKind, ScanResult } from './scan-result';

/** What was scanned, as the caller says it. */
export interface Scan {
  /** What the code shows; the ticket itself where somebody was found by name. */
  token: string | undefined;
  ticketId: number | undefined;
  nonce: string;
  kind: CheckInKind;
  /** Null: now. */
  scannedAt: Date | null;
}

/** A scan as the statement takes it. */
export interface ScanRequest {
  eventId: number;
  deviceId: number | null;
  userId: number | null;
  nonce: string;
  /** Null where what was scanned is no ticket. */
  ticketId: number | null;
  /** Null: any. */
  generation: number | null;
  kind: CheckInKind;
  scannedAt: Date | null;
  /** It comes from a device that had no network: what it let in is in. */
  isLate: boolean;
}

/** What a scan came to. */
export interface ScanOutcome {
  result: ScanResult;
  ticket: { id: number; typeName: string; attendeeName: string | null } | null;
  /** What let the ticket in, or out, before. */
  earlier: { scannedAt: Date; device: { id: number; name: string } | null } | null;
}
