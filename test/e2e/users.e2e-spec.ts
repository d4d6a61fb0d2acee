import { startTestApi, type TestApi } from '../support/api';
import { userBody, withoutTokens } from '../support/factories';
import { expectProblem } from '../support/problems';
import { titled } from '../support/tables';

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** An address of that many characters. */
const emailOf = (length: number) =>
  `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(length - 197)}.org`;

describe('users', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.stop());

  const signUp = (body: unknown) => api.client.post('/users/', body);

  describe('POST /users/', () => {
    it('signs up, and tells where the user is', async () => {
      const body = {
        name: 'Ada Lovelace',
        email: 'ada@example.com',
        location_address: "12 St James's Square, London",
        location_latitude: 51.5072,
        location_longitude: -0.1276,
      };
      const { status, headers, body: answer } = await signUp(body);
      expect(status).toBe(201);
      expect(answer).toEqual({
        ...body,
        id: expect.any(Number),
        created_at: expect.stringMatching(INSTANT),
        user_id: answer.id,
        access_token: expect.stringMatching(/./),
        token_type: 'Bearer',
        expires_in: 900,
      });
      const user = withoutTokens(answer);
      expect(Math.abs(Date.parse(user.created_at) - Date.now())).toBeLessThan(60_000);
      expect(headers.get('location')).toBe(`/users/${user.id}`);
      expect((await api.client.get(`/users/${user.id}`)).body).toEqual(user);
    });

    it.each([
      ['left out', {}],
      ['null', { location_address: null, location_latitude: null, location_longitude: null }],
    ])('takes a location that is %s, and answers nulls', async (_what, location) => {
      const { status, body } = await signUp({ ...userBody(), ...location });
      expect(status).toBe(201);
      expect(body).toMatchObject({
        location_address: null,
        location_latitude: null,
        location_longitude: null,
      });
      expect(Object.keys(body).sort()).toEqual(
        [
          'access_token created_at email expires_in id',
          'location_address location_latitude location_longitude name token_type user_id',
        ].flatMap((names) => names.split(' ')),
      );
    });

    it.each([
      [0, 0],
      [90, 180],
      [-90, -180],
      [0.1 + 0.2, -1e-7],
    ])('takes latitude %d and longitude %d for a place', async (location_latitude, location_longitude) => {
      const user = await api.create.user({ location_latitude, location_longitude });
      expect(user).toMatchObject({ location_latitude, location_longitude });
      expect((await api.client.get(`/users/${user.id}`)).body).toEqual(user);
    });

    it('takes an address without coordinates', async () => {
      const user = await api.create.user({ location_address: '' });
      expect(user).toMatchObject({ location_address: '', location_latitude: null });
    });

    it('refuses an e-mail that is registered, also in other letters', async () => {
      const { id } = await api.create.user({ email: 'grace.hopper@example.com' });
      for (const email of [
        'grace.hopper@example.com',
        'Grace.Hopper@Example.COM',
        'GRACE.HOPPER@EXAMPLE.COM',
      ]) {
        expectProblem(await signUp({ name: 'Another Grace', email }), 409, 'email_taken', {
          detail: 'Email already registered',
        });
      }
      const kept = await api.sql(`SELECT id, name, email FROM users WHERE email ILIKE 'grace.hopper@%'`);
      expect(kept).toEqual([{ id, name: 'Ada Lovelace', email: 'grace.hopper@example.com' }]);
    });

    it('refuses an e-mail in other letters that are not English', async () => {
      await api.create.user({ email: 'élodie@example.com' });
      expectProblem(await signUp({ ...userBody(), email: 'Élodie@example.com' }), 409, 'email_taken');
    });

    it.each([
      ['a dotted capital I', 'i\u0307rem@example.com', 'İrem@example.com'],
      ['decomposed letters', 'zoé@example.com', 'zoe\u0301@example.com'],
      ['a domain in Unicode', 'ada@xn--bcher-kva.example', 'ada@BÜCHER.example'],
      ['quotes', 'ada.king@example.com', '"Ada.King"@example.com'],
    ])('refuses an e-mail that is registered in another spelling: %s', async (_what, email, spelling) => {
      await api.create.user({ email });
      expectProblem(await signUp({ ...userBody(), email: spelling }), 409, 'email_taken');
    });

    it('shows an e-mail as it was typed', async () => {
      const { id, email } = await api.create.user({ email: 'Ada@MÜNCHEN.example' });
      expect(email).toBe('Ada@MÜNCHEN.example');
      expect((await api.client.get(`/users/${id}`)).body.email).toBe(email);
    });

    it.each(['password1234', 'Ada Lovelace 1815', 'ada.king@example.com'])(
      'refuses the password %s, which is guessed first',
      async (password) => {
        const body = { name: 'Ada Lovelace', email: 'Ada.King@example.com', password };
        expectProblem(await signUp(body), 422, 'validation_failed', { pointers: ['/password'] });
      },
    );

    it('lets exactly one of twenty sign-ups at once have the e-mail', async () => {
      const spellings = ['race@example.com', 'Race@Example.com', 'RACE@EXAMPLE.COM', 'raCe@example.com'];
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => signUp({ name: `Racer ${i}`, email: spellings[i % 4] })),
      );
      const [winner, ...others] = answers.sort((a, b) => a.status - b.status);
      expect(winner?.status).toBe(201);
      for (const answer of others) expectProblem(answer, 409, 'email_taken');
      expect(await api.sql(`SELECT id FROM users WHERE lower(email) = 'race@example.com'`)).toEqual([
        { id: winner?.body.id },
      ]);
    });

    it.each([
      ['100 letters', 'name', 'n'.repeat(100)],
      ['100 emoji, which are 200 UTF-16 units', 'name', '🎻'.repeat(100)],
      ['right to left', 'name', 'שָׁלוֹם עֲלֵיכֶם'],
      ['what looks like SQL', 'name', `Robert'); DROP TABLE users;--`],
      ['what looks like HTML', 'name', '<script>alert(1)</script> &amp; "quotes" \\'],
      ['an address of 255 emoji', 'location_address', '🏛'.repeat(255)],
      ['the longest e-mail there can be (RFC 5321)', 'email', emailOf(254)],
    ])('takes %s for %s and gives it back unchanged', async (_what, field, value) => {
      const user = await api.create.user({ [field]: value });
      expect(user[field]).toBe(value);
      expect((await api.client.get(`/users/${user.id}`)).body).toEqual(user);
    });

    it('composes the letters of a name', async () => {
      expect((await api.create.user({ name: 'Zoe\u0301' })).name).toBe('Zoé');
    });

    it.each(
      titled([
        ['name', undefined],
        ['name', null],
        ['name', ''],
        ['name', '   '],
        ['name', 'n'.repeat(101)],
        ['name', '🎻'.repeat(101)],
        ['name', '\u200b'],
        ['name', '\u3164'],
        ['name', 'Ada\nLovelace'],
        ['name', 'Ada\u202eLovelace'],
        ['location_address', 'Prime Meridian\r\nLondon'],
        ['name', 'n'.repeat(10_000)],
        ['name', 5],
        ['name', ['Ada']],
        ['name', { first: 'Ada' }],
        ['name', true],
        ['email', undefined],
        ['email', null],
        ['email', ''],
        ['email', 'ada'],
        ['email', 'ada@'],
        ['email', '@example.com'],
        ['email', 'ada@example'],
        ['email', 'ada@exam ple.com'],
        ['email', 'ada@example.com, bob@example.com'],
        ['email', 'Ada <ada@example.com>'],
        ['email', emailOf(256)],
        ['email', 'a\u200bda@example.com'],
        ['email', '"ada\r\nBcc: bob@example.com"@example.com'],
        ['email', 5],
        ['email', ['ada@example.com']],
        ['location_address', 'a'.repeat(256)],
        ['location_address', 5],
      ]),
    )('refuses %s %s', async (field, _title, value) => {
      expectProblem(await signUp({ ...userBody(), [field]: value }), 422, 'validation_failed', {
        pointers: [`/${field}`],
      });
    });

    it.each([
      ['latitude alone', { location_latitude: 0 }, ['/location_latitude']],
      ['longitude alone', { location_longitude: 0, location_latitude: null }, ['/location_longitude']],
      ['latitude over 90', { location_latitude: 90.000001, location_longitude: 0 }, ['/location_latitude']],
      ['latitude under -90', { location_latitude: -91, location_longitude: 0 }, ['/location_latitude']],
      ['longitude over 180', { location_latitude: 0, location_longitude: 180.1 }, ['/location_longitude']],
      ['longitude under -180', { location_latitude: 0, location_longitude: -1e9 }, ['/location_longitude']],
      [
        'text for numbers',
        { location_latitude: '51.5', location_longitude: '0' },
        ['/location_latitude', '/location_longitude'],
      ],
      [
        'booleans for numbers',
        { location_latitude: true, location_longitude: false },
        ['/location_latitude', '/location_longitude'],
      ],
    ])('refuses a location with %s', async (_what, location, pointers) => {
      expectProblem(await signUp({ ...userBody(), ...location }), 422, 'validation_failed', { pointers });
    });

    it('names all that does not validate at once', async () => {
      const answer = await signUp({ name: 5, location_latitude: 91, location_longitude: 0, role: 'admin' });
      expectProblem(answer, 422, 'validation_failed', {
        pointers: ['/name', '/email', '/location_latitude', '/role'],
      });
    });

    it('takes neither an id nor a time of creation', async () => {
      const answer = await signUp({ ...userBody(), id: 1, created_at: '2000-01-01T00:00:00.000Z' });
      expectProblem(answer, 422, 'validation_failed', { pointers: ['/id', '/created_at'] });
    });
  });

  describe('GET /users/{user_id}', () => {
    it('refuses a user that is not there', async () => {
      expectProblem(await api.client.get('/users/999999'), 404, 'user_not_found', {
        detail: 'User not found',
      });
    });
  });
});
