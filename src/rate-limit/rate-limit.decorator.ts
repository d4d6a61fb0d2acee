import { applyDecorators, SetMetadata } from '@nestjs/common';
import { InTurn } from './turn.interceptor';

export const RATE_LIMIT = 'rateLimit';

/** How a route, or all of a controller, is limited; where nothing is said, as usual: by what its caller reads and writes. */
export type RateLimit = 'usual' | 'credentials' | 'none';

/** Marks a route that takes a password or a token that is as good as one: few calls by address, one after the other. */
export const LimitAsCredentials = () =>
  applyDecorators(SetMetadata(RATE_LIMIT, 'credentials' satisfies RateLimit), InTurn('passwords'));

/** Marks a route that may be called any number of times. */
export const Unlimited = () => SetMetadata(RATE_LIMIT, 'none' satisfies RateLimit);
