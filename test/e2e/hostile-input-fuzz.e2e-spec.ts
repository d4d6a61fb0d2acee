import fc from 'fast-check';
import { startTestApi, type TestApi } from '../support/api';
import type { Answer } from '../support/client';
import { expectProblem } from '../support/problems';
import { POSTS, rawSender, stopSound } from '../support/raw-bodies';

describe('hostile input', () => {
  let api: TestApi;
  let user: { id: number };

  beforeAll(async () => {
    api = await startTestApi();
    user = await api.create.user({ location_latitude: 0, location_longitude: 0 });
  });
  afterAll(() => stopSound(api));

  const sendRaw = rawSender(() => api);

  describe('anything at all', () => {
    /** `FUZZ_RUNS=10000 npx jest hostile-input-fuzz` looks harder. */
    const RUNS = { numRuns: Number(process.env.FUZZ_RUNS ?? 40) };
    const FINE = [200, 201];
    const REFUSED = [404, 405, 409, 413, 415, 422];

    function expectAnswer(answer: Answer): void {
      if (FINE.includes(answer.status)) return;
      expect(REFUSED).toContain(answer.status);
      expectProblem(answer, answer.status, answer.body.code);
    }

    /** `unit: 'binary'` says the same, and takes two seconds to count them all. */
    const anyCharacter = fc
      .nat(0x10f7ff)
      .map((point) => String.fromCodePoint(point < 0xd800 ? point : point + 0x800));
    /** Any characters, and any UTF-16 units: halves of surrogate pairs, too. */
    const anyText = fc.oneof(
      fc.string({ unit: anyCharacter, maxLength: 30 }),
      fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 30 }),
    );
    const anyValue = fc.oneof(
      fc.jsonValue(),
      fc.integer(),
      fc.double(),
      anyText,
      fc.date({ noInvalidDate: true }).map((date) => date.toJSON()),
    );
    const anyBody = (names: string[]) =>
      fc.oneof(
        fc.jsonValue(),
        fc.dictionary(fc.oneof(fc.constantFrom(...names), anyText), anyValue, { maxKeys: 8 }),
        fc.record(Object.fromEntries(names.map((name) => [name, anyValue])), { requiredKeys: [] }),
      );

    it.each([
      ['/users/', 'name email location_address location_latitude location_longitude'],
      ['/events/', 'title description start_time end_time total_tickets venue'],
      ['/tickets/', 'user_id event_id'],
    ])('as the body of POST %s is answered, never with a 5xx', async (path, names) => {
      await fc.assert(
        fc.asyncProperty(anyBody(names.split(' ')), async (body) =>
          expectAnswer(await api.client.post(path, body)),
        ),
        RUNS,
      );
    });

    it('as bytes of a body is answered, never with a 5xx', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...POSTS), async (bytes, path) =>
          expectAnswer(await sendRaw(path, bytes)),
        ),
        RUNS,
      );
    });

    it('as an address is answered, never with a 5xx', async () => {
      const segment = fc.oneof(
        fc.constantFrom('users', 'events', 'tickets', 'for-you', 'pay', 'cancel', 'docs', '1', '%', '..'),
        anyText.map((text) => encodeURIComponent(text.toWellFormed())),
        fc.string({ unit: 'grapheme-ascii', maxLength: 10 }),
      );
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom('GET', 'POST', 'DELETE'),
          fc.array(segment, { maxLength: 5 }),
          async (method, segments) => {
            const path = new URL(`${api.client.url}/${segments.join('/')}`).href.slice(api.client.url.length);
            expectAnswer(await api.client.send(method, path));
          },
        ),
        RUNS,
      );
    });

    it('as a query is answered, never with a 5xx', async () => {
      const names = ['limit', 'cursor', 'starts_after', 'starts_before', 'user_id', 'max_distance_km'];
      const key = fc.array(fc.oneof(fc.integer(), fc.double(), anyText), { maxLength: 3 });
      const value = fc.oneof(
        fc.integer().map(String),
        anyText,
        fc.date({ noInvalidDate: true }).map((date) => date.toJSON()),
        key.map((parts) => Buffer.from(JSON.stringify(parts)).toString('base64url')),
      );
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom('/events', '/users/for-you', `/users/${user.id}/tickets`),
          fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 3 }),
          async (path, parameters) => {
            expectAnswer(await api.client.get(`${path}?${new URLSearchParams(parameters).toString()}`));
          },
        ),
        RUNS,
      );
    });
  });
});
