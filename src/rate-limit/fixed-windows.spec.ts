import { FixedWindows } from './fixed-windows';

const LENGTH_MS = 1_000;

describe('windows', () => {
  it('count each key by itself, from its first hit until the window is over', () => {
    const windows = new FixedWindows(LENGTH_MS);
    expect(windows.hit('a', 400)).toEqual({ hits: 1, endsAt: 1_400 });
    expect(windows.hit('b', 700)).toEqual({ hits: 1, endsAt: 1_700 });
    expect(windows.hit('a', 1_399)).toEqual({ hits: 2, endsAt: 1_400 });
    expect(windows.hit('a', 1_400)).toEqual({ hits: 1, endsAt: 2_400 });
    expect(windows.hit('b', 1_699)).toEqual({ hits: 2, endsAt: 1_700 });
  });

  it('never forget a window before its end, whenever it began', () => {
    const windows = new FixedWindows(LENGTH_MS);
    for (let now = 0; now < 5 * LENGTH_MS; now++) {
      windows.hit(`began at ${now}`, now);
      const start = now - LENGTH_MS + 1;
      if (start >= 0) expect(windows.hit(`began at ${start}`, now).hits).toBe(2);
    }
  });

  it('keep no more than two generations of at most so many keys', () => {
    const windows = new FixedWindows(LENGTH_MS, 100);
    const size = () =>
      Object.values(windows).reduce<number>((sum, part) => sum + (part instanceof Map ? part.size : 0), 0);
    for (let i = 0; i < 10_000; i++) windows.hit(`key ${i}`, 0);
    expect(size()).toBeLessThanOrEqual(200);
    expect(windows.hit('key 9999', 0).hits).toBe(2);
    windows.hit('a', 2 * LENGTH_MS);
    windows.hit('a', 4 * LENGTH_MS);
    expect(size()).toBeLessThanOrEqual(2);
  });
});
