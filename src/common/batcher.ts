import DataLoader from 'dataloader';
import { batchJoins } from './telemetry';

/**
 * Gathers concurrent calls into batches: while one batch is under way the next one collects, so nobody ever waits
 * on a timer, a lone call goes out at once, and a crowd shares one statement. Order of arrival is kept.
 *
 * @param work answers a batch, one result or `Error` per request, in the order of the requests; when it rejects,
 *   each request is tried once more by itself, so that one that can't be worked off never fails its neighbours
 * @param isFatal tells a rejection that would hit every request alike (the database is out of reach)
 */
export function createBatcher<Request, Result>(
  work: (requests: readonly Request[]) => Promise<(Result | Error)[]>,
  { maxSize, isFatal }: { maxSize: number; isFatal: (error: unknown) => boolean },
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

  const loader = new DataLoader<Request, Result>(
    async (requests) => {
      try {
        return await work(requests);
      } catch (error) {
        if (requests.length === 1 || isFatal(error)) throw error;
        return await workEach(requests);
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
    return loader.load(request);
  };
}
