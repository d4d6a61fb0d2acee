import { Semaphore, withTimeout } from 'async-mutex';
import { LRUCache } from 'lru-cache';
import { createBatcher, type BatcherOptions } from './batcher';

export interface LanesOptions extends BatcherOptions {
  /** Lanes that may work at once, each on a connection; the others wait, each request for `turnMs` at most. */
  atOnce: number;
  turnMs: number;
}

/** As many as are kept; a lane that is forgotten still works off what waits in it. */
const MOST_LANES = 1_000;

/**
 * Batchers side by side, one for each busy key, such as a locked row: a lane delays only requests that wait for the same
 * key.
 *
 * @param work answers the batch of one lane, as for `createBatcher`
 */
export function createLanes<Key extends number | string, Request, Result>(
  work: (requests: readonly Request[], key: Key) => Promise<(Result | Error)[]>,
  { atOnce, turnMs, ...options }: LanesOptions,
): (key: Key, request: Request) => Promise<Result> {
  const noTurn = options.tooLate();
  const turns = withTimeout(new Semaphore(atOnce), turnMs, noTurn);
  const isFatal = (error: unknown) => error === noTurn || options.isFatal(error);
  const lanes = new LRUCache<Key, (request: Request) => Promise<Result>>({ max: MOST_LANES });
  return (key, request) => {
    const lane =
      lanes.get(key) ??
      createBatcher<Request, Result>((requests) => turns.runExclusive(() => work(requests, key)), {
        ...options,
        isFatal,
      });
    lanes.set(key, lane);
    return lane(request);
  };
}
