import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';

export const IDEMPOTENT_OPTIONS = 'idempotentOptions';
/** Tells the OpenAPI document what the route takes; it does not stay in there. */
export const IDEMPOTENT_EXTENSION = 'x-idempotent';

/** What becomes of a request with a key. */
export interface IdempotentOptions {
  /**
   * How it is worked off: in a transaction of its own, or in a batch that it shares with others. As its last argument, after
   * those with decorators, a handler gets a `Once` for the transaction, or the claim of the key for the batch.
   */
  by?: 'transaction' | 'batch';
  /** Fields that a replay leaves out: knowing a request must not be as good as the credentials it made. */
  replayedWithout?: string[];
}

/**
 * Runs what a handler ends with: where the request has a key, in the transaction that keeps what it comes to. The handler
 * does all that is slow or outside PostgreSQL before, so that no transaction waits for it, and answers with the result.
 */
export type Once = <Result>(work: () => Promise<Result>) => Promise<Result>;

/**
 * Lets a POST take an `Idempotency-Key`: the same key gets the first answer again, and nothing is done twice.
 */
export const Idempotent = (options: IdempotentOptions = {}) =>
  applyDecorators(SetMetadata(IDEMPOTENT_OPTIONS, options), ApiExtension(IDEMPOTENT_EXTENSION, true));
