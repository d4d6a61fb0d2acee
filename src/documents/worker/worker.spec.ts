import { LIMIT_MS, MOST_WAITING } from '../document-pool';
import { restAfter } from './worker';

describe('the rest of the thread', () => {
  it('is long after a page, so that reservations keep their rate', () => {
    expect(restAfter(20)).toBe(380);
  });

  it('leaves time for all that may wait, however long one document took', () => {
    expect(MOST_WAITING * restAfter(5_000)).toBeLessThan(LIMIT_MS);
  });
});
