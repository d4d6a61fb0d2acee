import { services } from './services';

const hasRedis = services.addresses.redis !== undefined;

/** For what needs Redis; without one it is skipped, and the beginning of the run says so aloud. */
export const itWithRedis = hasRedis ? it : it.skip;
export const describeWithRedis = hasRedis ? describe : describe.skip;
