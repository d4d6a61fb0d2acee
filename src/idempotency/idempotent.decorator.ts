import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';

export const IDEMPOTENT_OPTIONS = 'idempotentOptions';
/** Tells the OpenAPI document what the route takes; it does not stay in there. */
export const IDEMPOTENT_EXTENSION = 'x-idempotent';

/** What becomes of a request with a key. */
export interface IdempotentOptions {
  /**
   * How it is worked off: in a transaction; in one in which passwords are hashed, of which there are fewer at once; or in a
   * batch that it shares with others. A handler for batches gets the claim of the key as its last argument, after those
   * with decorators.
   */
  by?: 'transaction' | 'passwords' | 'batch';
  /** Fields that a replay leaves out: knowing a request must not be as good as the credentials it made. */
  replayedWithout?: string[];
}

/**
 * Lets a POST take an `Idempotency-Key`: the same key gets the first answer again, and nothing is done twice.
 */
export const Idempotent = (options: IdempotentOptions = {}) =>
  applyDecorators(SetMetadata(IDEMPOTENT_OPTIONS, options), ApiExtension(IDEMPOTENT_EXTENSION, true));
