import { MAX_ID } from '../http/fields';
import { isInstant } from '../text/instant';
import { escapePointer, invalid, MAX_ERRORS, Problem, type FieldError } from '../problems/problem';
import type { Scan } from './scan';
import { CHECK_IN_KINDS, type CheckInKind } from './scan-result';

/** What a device collects in some minutes without a network. */
export const MOST_LATE_SCANS = 500;
export const LONGEST_CODE = 1_000;
export const NONCE = /^[!-~]{1,64}$/;

const FIELDS = new Set(['token', 'ticket_id', 'nonce', 'kind', 'scanned_at']);

/*
 * By hand, and not by DTOs: of many scans one that can't be read must not keep the others out, and a gate has no time for
 * what a general validation takes.
 */

/**
 * The scan of a body.
 *
 * @throws {Problem} `validation_failed`
 */
export function scanIn(body: unknown): Scan {
  if (!isObject(body)) throw invalid('', 'must be a JSON object');
  const errors = faultsIn(body);
  if (errors.length > 0) throw new Problem('validation_failed', { errors: errors.slice(0, MAX_ERRORS) });
  return toScan(body);
}

/**
 * The scans of a body.
 *
 * @returns undefined in the place of each that does not validate
 * @throws {Problem} `validation_failed` where it is no list of as many as may come
 */
export function lateScansIn(body: unknown): (Scan | undefined)[] {
  if (!isObject(body)) throw invalid('', 'must be a JSON object');
  const unknown = Object.keys(body).find((name) => name !== 'check_ins');
  if (unknown !== undefined) throw invalid(`/${escapePointer(unknown)}`, 'is not a known field');
  const { check_ins: list } = body;
  if (!Array.isArray(list) || list.length > MOST_LATE_SCANS)
    throw invalid('/check_ins', `must be a list of at most ${MOST_LATE_SCANS} check-ins`);
  return list.map((value) => (isObject(value) && faultsIn(value).length === 0 ? toScan(value) : undefined));
}

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function faultsIn(value: Fields): FieldError[] {
  const { token, ticket_id: ticketId, nonce, kind, scanned_at: at } = value;
  const faults: FieldError[] = [];
  const check = (name: string, isFine: boolean, detail: string) => {
    if (!isFine) faults.push({ pointer: `/${escapePointer(name)}`, detail });
  };
  for (const name of Object.keys(value)) check(name, FIELDS.has(name), 'is not a known field');
  if (ticketId === undefined) {
    const isCode = typeof token === 'string' && token.length > 0 && token.length <= LONGEST_CODE;
    check('token', isCode, `must be text of 1 to ${LONGEST_CODE} characters, or else ticket_id be there`);
  } else {
    check('ticket_id', isId(ticketId), `must be an integer from 1 to ${MAX_ID}`);
    check('token', token === undefined, 'must not come together with ticket_id');
  }
  check('nonce', typeof nonce === 'string' && NONCE.test(nonce), 'must be 1 to 64 visible ASCII characters');
  check('kind', isKind(kind), `must be one of ${CHECK_IN_KINDS.join(', ')}`);
  const isTime = at === undefined || at === null || (typeof at === 'string' && isInstant(at));
  check('scanned_at', isTime, 'must be a time in RFC 3339 with an offset, such as 2030-01-31T20:00:00Z');
  return faults;
}

const isId = (value: unknown) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_ID;

const isKind = (value: unknown) => CHECK_IN_KINDS.includes(value as CheckInKind);

/** Of what has no faults. */
const toScan = (value: Fields): Scan => ({
  token: value.token as string | undefined,
  ticketId: value.ticket_id as number | undefined,
  nonce: value.nonce as string,
  kind: value.kind as CheckInKind,
  scannedAt: value.scanned_at == null ? null : new Date(value.scanned_at as string),
});
