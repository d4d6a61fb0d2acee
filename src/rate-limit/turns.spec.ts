import { Problem } from '../problems/problem';
import { networkOf } from '../http/network';
import { Turns } from './turns';

const HERE = '192.0.2.1';
const stays = () => new AbortController().signal;

describe('Turns', () => {
  let turns: Turns;

  beforeEach(() => {
    jest.useFakeTimers();
    turns = new Turns();
  });
  afterEach(() => jest.useRealTimers());

  const isSettled = async (promise: Promise<unknown>) => {
    let isSettled = false;
    void promise.catch(() => undefined).then(() => (isSettled = true));
    await jest.advanceTimersByTimeAsync(0);
    return isSettled;
  };

  /** Work of so many milliseconds; tells when it began. */
  async function work(ms: number, network = HERE): Promise<number> {
    const end = await turns.take(network, stays());
    const began = performance.now();
    setTimeout(end, ms);
    return began;
  }

  it('come one after the other, in the order in which they were asked for, with as long a rest after each', async () => {
    const begun = [work(20), work(10), work(40), work(1)];
    await jest.advanceTimersByTimeAsync(200);
    const [first = NaN, ...others] = await Promise.all(begun);
    expect(others.map((at) => at - first)).toEqual([40, 60, 140]);
  });

  it('rest after the last one, too', async () => {
    const end = await turns.take(HERE, stays());
    await jest.advanceTimersByTimeAsync(50);
    end();
    const next = turns.take(HERE, stays());
    await jest.advanceTimersByTimeAsync(49);
    expect(await isSettled(next)).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(await isSettled(next)).toBe(true);
  });

  it('rest no longer than a moment', async () => {
    const end = await turns.take(HERE, stays());
    await jest.advanceTimersByTimeAsync(1_500);
    end();
    const next = turns.take(HERE, stays());
    await jest.advanceTimersByTimeAsync(300);
    expect(await isSettled(next)).toBe(true);
  });

  it('of other networks do not wait', async () => {
    await turns.take(HERE, stays());
    expect(await isSettled(turns.take('192.0.2.2', stays()))).toBe(true);
    expect(await isSettled(turns.take(HERE, stays()))).toBe(false);
  });

  const expectRefusal = async (promise: Promise<unknown>) => {
    const refusal = await promise.catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Problem);
    expect(refusal).toMatchObject({ code: 'rate_limited', headers: { 'Retry-After': '1' } });
  };

  it('are waited for by some, and by no more', async () => {
    const first = turns.take(HERE, stays());
    const waiting = Promise.all(Array.from({ length: 64 }, () => work(0)));
    await expectRefusal(turns.take(HERE, stays()));
    (await first)();
    await jest.advanceTimersByTimeAsync(500);
    expect(await waiting).toHaveLength(64);
  });

  it('are not waited for longer than two seconds, and then not given to those that went', async () => {
    const end = await turns.take(HERE, stays());
    const late = turns.take(HERE, stays());
    const refused = expectRefusal(late);
    await jest.advanceTimersByTimeAsync(1_000);
    const next = turns.take(HERE, stays());
    await jest.advanceTimersByTimeAsync(1_000);
    await refused;
    end();
    await jest.advanceTimersByTimeAsync(300);
    expect(await isSettled(next)).toBe(true);
  });

  it('are not given to a client that has gone', async () => {
    const end = await turns.take(HERE, stays());
    const client = new AbortController();
    const gone = turns.take(HERE, client.signal);
    const next = turns.take(HERE, stays());
    const refused = expectRefusal(gone);
    client.abort();
    await refused;
    end();
    expect(await isSettled(next)).toBe(true);
  });

  it('are not given to a client that had gone before', async () => {
    await expectRefusal(turns.take(HERE, AbortSignal.abort()));
    expect(await isSettled(turns.take(HERE, stays()))).toBe(true);
  });

  describe('of the networks of one site of IPv6', () => {
    const at = (network: number) => networkOf(`2001:db8:1:${network}::1`);
    const takeAt = (network: number, gone = stays()) => turns.takeFor(at(network), 'pages', gone);

    it('are two at a time, one in each network', async () => {
      const [first, second] = [await takeAt(1), await takeAt(2)];
      const [again, third] = [takeAt(1), takeAt(3)];
      expect(await isSettled(turns.takeFor(networkOf('2001:db8:2:1::1'), 'pages', stays()))).toBe(true);
      expect(await isSettled(again)).toBe(false);
      expect(await isSettled(third)).toBe(false);
      second();
      expect(await isSettled(third)).toBe(true);
      first();
      expect(await isSettled(again)).toBe(true);
    });

    it('are given back by those who go while the site is busy', async () => {
      const ends = [await takeAt(1), await takeAt(2)];
      const client = new AbortController();
      const gone = takeAt(3, client.signal);
      expect(await isSettled(gone)).toBe(false);
      client.abort();
      await expectRefusal(gone);
      ends.forEach((end) => end());
      await jest.advanceTimersByTimeAsync(300);
      expect(turns).toEqual(new Turns());
    });
  });

  it('end once', async () => {
    const end = await turns.take(HERE, stays());
    end();
    end();
    const next = turns.take(HERE, stays());
    expect(await isSettled(next)).toBe(true);
    expect(await isSettled(turns.take(HERE, stays()))).toBe(false);
  });

  it('leave nothing behind', async () => {
    (await turns.take(HERE, stays()))();
    await jest.advanceTimersByTimeAsync(300);
    expect(turns).toEqual(new Turns());
  });
});
