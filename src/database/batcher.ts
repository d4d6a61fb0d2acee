import { batchJoins } from '../telemetry/channels';

interface Call<Request, Result> {
  request: Request;
  since: number;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

export interface BatcherOptions {
  maxSize: number;
  isFatal: (error: unknown) => boolean;
  patienceMs: number;
  tooLate: () => Error;
}

/**
 * Gathers concurrent calls into batches: while one batch is under way the next one collects, so no call ever waits
 * on a timer, a lone call goes out at once, and a crowd shares one statement. Order of arrival is kept. A crowd whose
 * clients call again as soon as they are answered falls into two halves: one is worked off while the other comes back.
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
  const waiting: Call<Request, Result>[] = [];
  let isWorking = false;

  async function workOff(): Promise<void> {
    // The first batch takes all that wait.
    let lastSize = maxSize;
    while (waiting.length > 0) {
      // The last batch's clients are coming back: half of all leaves the other half for the next batch.
      const size = Math.min(maxSize, Math.ceil((lastSize + waiting.length) / 2));
      const calls = waiting.splice(0, size);
      lastSize = calls.length;
      await answer(inTimeOf(calls));
    }
    isWorking = false;
  }

  function inTimeOf(calls: Call<Request, Result>[]): Call<Request, Result>[] {
    const earliest = performance.now() - patienceMs;
    return calls.filter(({ since, reject }) => {
      if (since < earliest) reject(tooLate());
      return since >= earliest;
    });
  }

  async function answer(calls: Call<Request, Result>[]): Promise<void> {
    if (calls.length === 0) return;
    try {
      const results = await workAll(calls.map(({ request }) => request));
      calls.forEach(({ resolve, reject }, i) => {
        const result = results[i] as Result | Error;
        if (result instanceof Error) reject(result);
        else resolve(result);
      });
    } catch (error) {
      for (const { reject } of calls) reject(error);
    }
  }

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

  return (request) =>
    new Promise((resolve, reject) => {
      batchJoins.publish(request);
      waiting.push({ request, since: performance.now(), resolve, reject });
      if (isWorking) return;
      isWorking = true;
      // One turn of the event loop lets the requests that arrived together leave together.
      setImmediate(() => void workOff());
    });
}
