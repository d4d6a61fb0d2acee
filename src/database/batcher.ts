import DataLoader from 'dataloader';
import { batchJoins } from '../telemetry/channels';

interface Waiting<Request> {
  request: Request;
  since: number;
}

export interface BatcherOptions {
  maxSize: number;
  isFatal: (error: unknown) => boolean;
  patienceMs: number;
  tooLate: () => Error;
}

/**
 * Gathers concurrent calls into batches: while one batch is under way the next one collects, so no call ever waits
 * on a timer, a lone call goes out at once, and a crowd shares one statement. Order of arrival is kept.
 *
 * @param work answers a batch, one result or `Error` per request, in the order of the requests; when it rejects,
 *   each request is tried once more by itself, so that one that can't be worked off never fails its neighbours
 * @param isFatal tells a rejection that would hit every request alike (the database is out of reach)
 * @param patienceMs a request that waits longer for its batch is answered `tooLate` and not worked off: by now its client
 *   has been answered, and after a long silence of the database there may be thousands of them
 */
export function createBatcher<Request, Result>(
  work: (requests: readonly Request[]) => Promise<(Result | Error)[]>,
  { maxSize, isFatal, patienceMs, tooLate }: BatcherOptions,
): (request: Request) => Promise<Result> {
  let underWay = false;
  const waiting: (() => void)[] = [];

  const start = (dispatch: () => void) => {
    underWay = true;
    dispatch();
  };
  const finish = () => {
    underWay = false;
    const next = waiting.shift();
    if (next) start(next);
  };

  async function workAll(requests: readonly Request[]): Promise<(Result | Error)[]> {
    try {
      return await work(requests);
    } catch (error) {
      if (requests.length === 1 || isFatal(error)) throw error;
      return await workEach(requests);
    }
  }

  async function workEach(requests: readonly Request[]): Promise<(Result | Error)[]> {
    const results: (Result | Error)[] = [];
    for (const request of requests) {
      results.push(
        await work([request]).then(
          ([result]) => result as Result | Error,
          (error: unknown) => error as Error,
        ),
      );
    }
    return results;
  }

  const loader = new DataLoader<Waiting<Request>, Result>(
    async (calls) => {
      const earliest = performance.now() - patienceMs;
      const requests = calls.filter(({ since }) => since >= earliest).map(({ request }) => request);
      // The calls that have waited longest stand in front.
      const late = Array.from({ length: calls.length - requests.length }, tooLate);
      try {
        return [...late, ...(requests.length > 0 ? await workAll(requests) : [])];
      } finally {
        finish();
      }
    },
    {
      cache: false,
      maxBatchSize: maxSize,
      batchScheduleFn: (dispatch) => {
        // One turn of the event loop lets the requests that arrived together leave together.
        const ready = () => (underWay ? waiting.push(dispatch) : start(dispatch));
        setImmediate(ready);
      },
    },
  );
  return (request) => {
    batchJoins.publish(request);
    return loader.load({ request, since: performance.now() });
  };
}
