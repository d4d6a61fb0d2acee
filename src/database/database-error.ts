import { QueryFailedError } from 'typeorm';
import { invalid, Problem } from '../problems/problem';

interface DriverError {
  code?: string;
  constraint?: string;
  message?: string;
}

/**
 * What may be answered another time: the SQLSTATEs, each a class of two characters or one state of five, that say
 * nothing about the request and all about the state of PostgreSQL.
 */
const NOT_NOW: Record<string, string> = {
  '08': 'the connection broke or was not made',
  '25006': 'PostgreSQL is read-only: a standby, or a primary that was one before its failover',
  '25P03': 'the session was idle in its transaction for too long',
  '25P04': 'the transaction took too long',
  '28': 'PostgreSQL refuses our role or password: somebody changes them',
  '3D': 'the database is not there: it is being restored or renamed',
  '53': 'out of disk, memory or connections',
  '55P03': 'a lock was not to be had in time',
  '57': 'an operator stops, starts or cancels something; or the statement took too long',
  '58': 'the system under PostgreSQL fails: its disk, mostly',
};

/** After these a connection is of no more use: the next one may lead to another server, or to other rights. */
const GIVE_UP = ['08', '25006', '28', '3D', '57P', '58'];

/** Errors of the system and of TLS, by their code: `ECONNREFUSED`, `EAI_AGAIN`, `CERT_HAS_EXPIRED`. */
const SYSTEM_ERROR = /^(E(?!RR_)[A-Z]|ERR_(SSL|TLS)_|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/;

/** The driver's own errors have no code. */
const DRIVER_ERROR =
  /connection (terminated|ended|error)|connection is closed|timeout exceeded|query read timeout|not queryable|does not support SSL|pool after calling end/i;

/** What PostgreSQL itself said, from under TypeORM's wrapping. */
const driverError = (error: unknown): DriverError =>
  (error instanceof QueryFailedError ? error.driverError : error) as DriverError;

/** The name of the constraint or unique index that refused a row. */
export const violatedConstraint = (error: unknown): string | undefined => driverError(error).constraint;

/** True for a serialization failure or a deadlock: the whole transaction is worth another try. */
export const isRetryable = (error: unknown): boolean =>
  ['40001', '40P01'].includes(driverError(error).code ?? '');

/** True when PostgreSQL has no room to write, on its disk or by its own limit. */
export const isDiskFull = (error: unknown): boolean =>
  ['53100', '53400'].includes(driverError(error).code ?? '');

/** True when a statement did not get a lock in time: another transaction keeps the row locked. */
export const isLockTimeout = (error: unknown): boolean => driverError(error).code === '55P03';

/** True when a statement exceeded its time limit or was cancelled. */
export const isStatementTimeout = (error: unknown): boolean => driverError(error).code === '57014';

/** True when PostgreSQL takes no writes: a standby, or told to. */
export const isReadOnly = (error: unknown): boolean => driverError(error).code === '25006';

/** True when the same request may succeed another time: nothing is wrong with it, but with the database or the way there. */
export function isUnavailable(error: unknown): boolean {
  const { code = '', message = '' } = driverError(error);
  return Object.keys(NOT_NOW).some((state) => code.startsWith(state)) || isOutOfReach(code, message);
}

/** True when the connection that gave this error should not be used again. */
export const spoilsConnection = ({ code = '' }: { code?: string }): boolean =>
  GIVE_UP.some((state) => code.startsWith(state));

const isOutOfReach = (code: string, message: string) =>
  SYSTEM_ERROR.test(code) || (code === '' && DRIVER_ERROR.test(message));

/** How a failure of the database looks to a client; undefined where it is our own mistake. */
export function databaseProblem(error: unknown): Problem | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if (isUnavailable(error) || isRetryable(error)) {
    return new Problem('service_unavailable', { headers: { 'Retry-After': '1' } });
  }
  // A CHECK failed. The input was validated before, so the stored data contradict themselves, and a person has to look.
  if (driverError(error).code === '23514') {
    return new Problem('service_unavailable', { headers: { 'Retry-After': '60' } });
  }
  // A character PostgreSQL can't store, or a number its type can't hold.
  return ['22021', '22P05', '22003'].includes(driverError(error).code ?? '')
    ? invalid('', 'something in it can not be stored')
    : undefined;
}
