import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { createBatcher } from './batcher';

class Fatal extends Error {}

class TooLate extends Error {}

const OPTIONS = {
  maxSize: 100,
  isFatal: (error: unknown) => error instanceof Fatal,
  patienceMs: 5_000,
  tooLate: () => new TooLate(),
};

/** Work that notes its batches and waits for `finish` before it answers each. */
function heldUpWork() {
  const batches: number[][] = [];
  const gates: (() => void)[] = [];
  return {
    batches,
    work: async (requests: readonly number[]) => {
      batches.push([...requests]);
      await new Promise<void>((resolve) => gates.push(resolve));
      return requests.map(answerTo);
    },
    /** Lets the batch that is under way end, and the next one start. */
    finish: async () => {
      gates.shift()?.();
      await turns();
    },
  };
}

const answerTo = (request: number) => `answer ${request}`;

/** As many turns of the event loop as anything here may take. */
async function turns() {
  for (let i = 0; i < 5; i++) await nextTurn();
}

describe('a batcher', () => {
  it('lets a lone call go out at once', async () => {
    const { work, batches, finish } = heldUpWork();
    const answer = createBatcher(work, OPTIONS)(1);
    await turns();
    expect(batches).toEqual([[1]]);
    await finish();
    await expect(answer).resolves.toBe('answer 1');
  });

  it('gathers calls while a batch is under way, and never has two under way', async () => {
    const { work, batches, finish } = heldUpWork();
    const call = createBatcher(work, OPTIONS);
    const answers = [call(1), call(2)];
    await turns();
    answers.push(call(3));
    await turns();
    answers.push(call(4), call(5));
    await turns();
    expect(batches).toEqual([[1, 2]]);
    await finish();
    expect(batches).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
    await finish();
    await expect(Promise.all(answers)).resolves.toEqual([1, 2, 3, 4, 5].map(answerTo));
  });

  it('cuts a crowd into batches of the greatest size, one after the other, in order', async () => {
    const { work, batches, finish } = heldUpWork();
    const call = createBatcher(work, { ...OPTIONS, maxSize: 3 });
    const answers = Promise.all([1, 2, 3, 4, 5, 6, 7].map(call));
    const sofar: number[][] = [];
    for (const batch of [[1, 2, 3], [4, 5, 6], [7]]) {
      await turns();
      sofar.push(batch);
      expect(batches).toEqual(sofar);
      await finish();
    }
    await expect(answers).resolves.toEqual([1, 2, 3, 4, 5, 6, 7].map(answerTo));
  });

  it('gives the same request twice to the work, and each caller an answer of its own', async () => {
    let served = 0;
    const call = createBatcher(
      (requests: readonly number[]) => Promise.resolve(requests.map(() => ++served)),
      OPTIONS,
    );
    await expect(Promise.all([call(7), call(7), call(8)])).resolves.toEqual([1, 2, 3]);
  });

  it('throws to a caller the error that stands for its answer, and answers the others', async () => {
    const call = createBatcher(
      (requests: readonly number[]) =>
        Promise.resolve(requests.map((request) => (request === 2 ? new Error('not you') : request))),
      OPTIONS,
    );
    const answers = await Promise.allSettled([call(1), call(2), call(3)]);
    expect(answers).toEqual([
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: new Error('not you') },
      { status: 'fulfilled', value: 3 },
    ]);
  });

  it('tries the requests of a failed batch one by one, so that one of them never fails its neighbours', async () => {
    const batches: number[][] = [];
    let underWay = 0;
    const call = createBatcher(async (requests: readonly number[]) => {
      expect(++underWay).toBe(1);
      batches.push([...requests]);
      await nextTurn();
      underWay--;
      if (requests.includes(2)) throw new Error('poison');
      return requests.map(answerTo);
    }, OPTIONS);
    const first = Promise.allSettled([call(1), call(2), call(3)]);
    await nextTurn();
    const next = call(4);
    await expect(first).resolves.toEqual([
      { status: 'fulfilled', value: 'answer 1' },
      { status: 'rejected', reason: new Error('poison') },
      { status: 'fulfilled', value: 'answer 3' },
    ]);
    await expect(next).resolves.toBe('answer 4');
    expect(batches).toEqual([[1, 2, 3], [1], [2], [3], [4]]);
  });

  it('fails all requests of a batch at once when the error would hit each of them, and goes on with the next', async () => {
    const batches: number[][] = [];
    const call = createBatcher((requests: readonly number[]) => {
      batches.push([...requests]);
      return batches.length === 1
        ? Promise.reject(new Fatal('out of reach'))
        : Promise.resolve(requests.map(answerTo));
    }, OPTIONS);
    const failed = { status: 'rejected', reason: new Fatal('out of reach') };
    await expect(Promise.allSettled([call(1), call(2)])).resolves.toEqual([failed, failed]);
    await expect(call(3)).resolves.toBe('answer 3');
    expect(batches).toEqual([[1, 2], [3]]);
  });

  it('does not try a lone request that failed again', async () => {
    let tries = 0;
    const call = createBatcher(() => Promise.reject(new Error(`try ${++tries}`)), OPTIONS);
    await expect(call(1)).rejects.toThrow('try 1');
    expect(tries).toBe(1);
  });

  it('does not work off what has waited too long, and goes on with what has not', async () => {
    const { work, batches, finish } = heldUpWork();
    const call = createBatcher(work, { ...OPTIONS, patienceMs: 50 });
    const first = call(1);
    await turns();
    const late = call(2);
    const outcome = expect(late).rejects.toThrow(TooLate);
    await turns();
    await sleep(100);
    const inTime = call(3);
    await finish();
    expect(batches).toEqual([[1], [3]]);
    await finish();
    await outcome;
    await expect(Promise.all([first, inTime])).resolves.toEqual([1, 3].map(answerTo));
  });
});
