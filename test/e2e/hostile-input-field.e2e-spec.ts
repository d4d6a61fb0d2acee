import { startTestApi, type TestApi } from '../support/api';
import { eventBody } from '../support/factories';
import { expectProblem } from '../support/problems';
import { BODIES, POSTS, rawSender, stopSound } from '../support/raw-bodies';
import { titled } from '../support/tables';

describe('hostile input', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => stopSound(api));

  const sendRaw = rawSender(() => api);

  describe('a field', () => {
    const INHERITED = [
      '__proto__',
      'constructor',
      'prototype',
      'hasOwnProperty',
      'toString',
      'valueOf',
      'isPrototypeOf',
      '__defineGetter__',
    ];

    it.each([
      ...INHERITED,
      'then',
      'toJSON',
      'length',
      '',
      ' name',
      'Name',
      'name\0',
      'a/b',
      '~',
      '$ne',
      '🎻',
      'is_admin',
    ])('named "%s" is not known', async (name) => {
      const pointer = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      for (const path of POSTS) {
        const body = JSON.stringify(BODIES[path]()).replace(/}$/, `,${JSON.stringify(name)}:{"admin":true}}`);
        expectProblem(await sendRaw(path, body), 422, 'validation_failed', { pointers: [pointer] });
      }
      const venue = JSON.stringify({ ...eventBody(), venue: 0 }).replace(
        '"venue":0',
        `"venue":{${JSON.stringify(name)}:0}`,
      );
      expectProblem(await sendRaw('/events/', venue), 422, 'validation_failed', {
        pointers: [`/venue${pointer}`],
      });
      expect(Object.keys(Object.prototype)).toEqual([]);
      expect('admin' in {}).toBe(false);
    });

    const TEXTS = [
      ['/users/', 'name'],
      ['/users/', 'email'],
      ['/users/', 'location_address'],
      ['/events/', 'title'],
      ['/events/', 'description'],
      ['/events/', 'start_time'],
      ['/events/', 'end_time'],
      ['/events/', 'venue.address'],
    ] as const;
    const NUMBERS = [
      ['/users/', 'location_latitude'],
      ['/users/', 'location_longitude'],
      ['/events/', 'total_tickets'],
      ['/events/', 'venue.latitude'],
      ['/events/', 'venue.longitude'],
      ['/tickets/', 'user_id'],
      ['/tickets/', 'event_id'],
    ] as const;

    /** The route's body with the raw JSON as the value of a field, which may lie in another. */
    const bodyWith = (path: keyof typeof BODIES, field: string, raw: string) => {
      const MARK = '@@';
      const [name, inner] = field.split('.') as [string, string?];
      const coordinates = { latitude: 0, longitude: 0, location_latitude: 0, location_longitude: 0 };
      const among = Object.fromEntries(
        Object.entries(coordinates).filter(([key]) => key.startsWith('location') === (path === '/users/')),
      );
      const body =
        inner === undefined
          ? { ...BODIES[path](), ...(path === '/users/' && among), [name]: MARK }
          : { ...BODIES[path](), [name]: { ...among, [inner]: MARK } };
      return JSON.stringify(body).replace(`"${MARK}"`, () => raw);
    };
    const pointerOf = (field: string) => `/${field.replace('.', '/')}`;

    it.each(TEXTS)(
      '%s %s takes no text that can not be stored, and nothing that is no text',
      async (path, field) => {
        for (const raw of [
          '"a\\u0000b"',
          '"\\u0000"',
          '"\\ud83c"',
          '"a\\udfbb"',
          '"\\udfbb\\ud83c"',
          `"${'a'.repeat(10_001)}"`,
          '5',
          '0',
          'true',
          'false',
          '[]',
          '["a"]',
          '{}',
          '{"length": 3}',
          '{"toString": null}',
        ]) {
          const answer = await sendRaw(path, bodyWith(path, field, raw));
          const inherited = raw.includes('toString') ? '/toString' : '';
          expectProblem(answer, 422, 'validation_failed', { pointers: [pointerOf(field) + inherited] });
        }
      },
    );

    it.each(NUMBERS)(
      '%s %s takes no number out of range, and nothing that is no number',
      async (path, field) => {
        for (const raw of [
          '1e400',
          '-1e400',
          '1e308',
          '-1e30',
          '9223372036854775808',
          '123456789012345678901234567890',
          '"5"',
          '""',
          'true',
          'false',
          '[]',
          '[5]',
          '{}',
        ]) {
          expectProblem(await sendRaw(path, bodyWith(path, field, raw)), 422, 'validation_failed', {
            pointers: [pointerOf(field)],
          });
        }
      },
    );

    it.each(
      titled([
        ['the smallest number', 5e-324],
        ['minus nothing', -0],
        ['all digits there are', 12.345678901234567],
      ]),
    )('with %s %s as a coordinate is kept as it is', async (_what, _title, value) => {
      const created = await api.create.event({ venue: { latitude: value, longitude: value } });
      const shown = (await api.client.get(`/events/${created.id}`)).body;
      for (const { venue } of [created, shown]) {
        expect(venue.latitude + 0).toBe(Number(value) + 0);
        expect(venue.longitude + 0).toBe(Number(value) + 0);
      }
    });
  });
});
