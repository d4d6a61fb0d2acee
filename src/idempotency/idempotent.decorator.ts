import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';

export const IS_IDEMPOTENT = 'isIdempotent';
/** Tells the OpenAPI document what the route takes; it does not stay in there. */
export const IDEMPOTENT_EXTENSION = 'x-idempotent';

/** Lets a POST take an `Idempotency-Key`: the same key gets the first answer again, and nothing is done twice. */
export const Idempotent = () =>
  applyDecorators(SetMetadata(IS_IDEMPOTENT, true), ApiExtension(IDEMPOTENT_EXTENSION, true));
