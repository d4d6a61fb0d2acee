import { isInstant, MAX_ID } from '../http/fields';
import { invalid } from '../problems/problem';
import type { Scan } from './scan';
import { isNonce, isScanCode } from './scan-fields';
import { CHECK_IN_KINDS, type CheckInKind } from './scan-result';

/** What a device collects in some minutes without a network. */
export const MOST_LATE_SCANS = 500;

const FIELDS = new Set(['token', 'ticket_id', 'nonce', 'kind', 'scanned_at']);

/**
 * The scans of a body. (The validation of DTOs takes all or nothing; of these one that can't be read must not keep the
 * others out.)
 *
 * @returns undefined in the place of each that does not validate
 * @throws {Problem} `validation_failed` where it is no list of as many as may come
 */
export function lateScansIn(body: unknown): (Scan | undefined)[] {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw invalid('', 'must be a JSON object');
  const unknown = Object.keys(body).find((name) => name !== 'check_ins');
  if (unknown !== undefined) throw invalid(`/${unknown}`, 'is not a known field');
  const { check_ins: list } = body as { check_ins?: unknown };
  if (!Array.isArray(list) || list.length > MOST_LATE_SCANS)
    throw invalid('/check_ins', `must be a list of at most ${MOST_LATE_SCANS} check-ins`);
  return list.map(scanIn);
}

function scanIn(value: unknown): Scan | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { token, ticket_id: ticketId, nonce, kind, scanned_at: at } = value as Record<string, unknown>;
  if (!Object.keys(value).every((name) => FIELDS.has(name))) return undefined;
  if (!isNonce(nonce) || !CHECK_IN_KINDS.includes(kind as CheckInKind)) return undefined;
  if (at != null && !(typeof at === 'string' && isInstant(at))) return undefined;
  const scan = { nonce, kind: kind as CheckInKind, ...(at != null && { scannedAt: new Date(at) }) };
  if (ticketId === undefined) return isScanCode(token) ? { ...scan, token } : undefined;
  return token === undefined && isTicketId(ticketId) ? { ...scan, ticketId } : undefined;
}

const isTicketId = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_ID;
