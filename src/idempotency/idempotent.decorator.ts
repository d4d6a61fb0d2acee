import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';

export const IS_IDEMPOTENT = 'isIdempotent';
/** Tells the OpenAPI document what the route takes; it does not stay in there. */
export const IDEMPOTENT_EXTENSION = 'x-idempotent';

/** The fields of the first answer that a replay leaves out. */
export const REPLAYED_WITHOUT = 'replayedWithout';

/**
 * Lets a POST take an `Idempotency-Key`: the same key gets the first answer again, and nothing is done twice.
 *
 * @param without fields that a replay leaves out: knowing a request must not be as good as the credentials it made
 */
export const Idempotent = (...without: string[]) =>
  applyDecorators(
    SetMetadata(IS_IDEMPOTENT, true),
    SetMetadata(REPLAYED_WITHOUT, without),
    ApiExtension(IDEMPOTENT_EXTENSION, true),
  );
