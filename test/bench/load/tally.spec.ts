import { setTimeout as sleep } from 'node:timers/promises';
import { Tally } from './tally';

describe('Tally', () => {
  it('times what arrives between mark and stop, and counts everything', async () => {
    const tally = new Tally();
    tally.add('201', true, performance.now() - 5_000);
    tally.mark();
    for (let ms = 1; ms <= 100; ms++) tally.add('201', true, performance.now() - ms);
    await sleep(20);
    tally.stop();
    tally.add('503', false, performance.now() - 5_000);
    const { p50, p99, perSecond, outcomes, unexpected } = tally.result();
    expect(p50).toBeCloseTo(50, 0);
    expect(p99).toBeCloseTo(99, 0);
    expect(perSecond).toBeGreaterThan(0);
    expect(perSecond).toBeLessThanOrEqual(100 / 0.019);
    expect(outcomes).toEqual({ '201': 101, '503': 1 });
    expect(unexpected).toBe(1);
  });
});
