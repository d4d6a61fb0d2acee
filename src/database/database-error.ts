import { QueryFailedError } from 'typeorm';
import { invalid, Problem } from '../problems/problem';

interface DriverError {
  code?: string;
  constraint?: string;
  message?: string;
}

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

/** True when the database is out of reach, shutting down, out of connections or disk, or took too long. */
export function isUnavailable(error: unknown): boolean {
  const { code = '', message = '' } = driverError(error);
  return (
    /^(08|53|57P|58)/.test(code) ||
    ['57014', '55P03', '25P03'].includes(code) ||
    ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH', 'ENOENT'].includes(
      code,
    ) ||
    /connection terminated|timeout exceeded|query read timeout|connection error/i.test(message)
  );
}

/** How a failure of the database looks to a client; undefined where it is our own mistake. */
export function databaseProblem(error: unknown): Problem | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if (isUnavailable(error) || isRetryable(error)) {
    return new Problem('service_unavailable', { headers: { 'Retry-After': '1' } });
  }
  // What is stored contradicts itself, and a person has to look: what came in has been held against the rules before.
  if (driverError(error).code === '23514') {
    return new Problem('service_unavailable', { headers: { 'Retry-After': '60' } });
  }
  // A character PostgreSQL can't store, or a number its type can't hold.
  return ['22021', '22P05', '22003'].includes(driverError(error).code ?? '')
    ? invalid('', 'something in it can not be stored')
    : undefined;
}
