import { eventBody } from '../support/factories';
import { expectProblem } from '../support/problems';
import { accountSuite } from '../support/sign-in';
import { tokenOf } from '../support/tokens';

describe('the account', () => {
  const suite = accountSuite();

  describe('me', () => {
    it('is the caller, wherever a path names a user', async () => {
      const ada = await suite.door.signUp();
      const { body: event } = await suite.door.as(ada).post('/events/', eventBody());
      const { body: ticket } = await suite.door.as(ada).post('/tickets/', { event_id: event.id });

      expect(await suite.door.as(ada).get('/users/me')).toMatchObject({
        status: 200,
        body: { id: ada.user_id },
      });
      expect((await suite.door.as(ada).get('/users/me/')).status).toBe(200);
      const tickets = await suite.door.as(ada).get('/users/me/tickets');
      expect(tickets).toMatchObject({ status: 200, body: [{ id: ticket.id }] });
      expect(await suite.door.as(ada).get('/users/me/sessions')).toMatchObject({
        status: 200,
        body: [{ current: true }],
      });
      const patched = await suite.door.as(ada).send('PATCH', '/users/me', json({ name: 'Augusta' }));
      expect(patched).toMatchObject({ status: 200, body: { id: ada.user_id, name: 'Augusta' } });
    });

    it('is the admin for an admin', async () => {
      const { body } = await suite.api.client.get('/users/me');
      expect(body).toMatchObject({ email: 'admin@tixxety.test' });
    });

    it.each(['/users/me', '/users/me/tickets', '/users/me/sessions'])(
      'is nobody without a token at %s',
      async (path) => {
        expectProblem(await suite.api.client.as('').get(path), 401, 'unauthenticated');
      },
    );

    it.each(['ME', 'me%20', 'm', '-me', 'me,1'])('is not spelled %j', async (me) => {
      const { access_token } = await suite.door.signUp(null);
      expectProblem(await suite.api.client.as(access_token).get(`/users/${me}`), 422, 'validation_failed', {
        pointers: ['/user_id'],
      });
    });

    it('stands in paths only: elsewhere a user who is not named is the caller', async () => {
      const ada = suite.door.as(await suite.door.signUp(null));
      expectProblem(await ada.get('/users/for-you?user_id=me'), 422, 'validation_failed');
      expectProblem(await ada.post('/tickets/', { event_id: 1, user_id: 'me' }), 422, 'validation_failed');
      expectProblem(await ada.get('/events/?organizer_id=me'), 422, 'validation_failed');
    });

    it('pages by its own address', async () => {
      const ada = await suite.door.signUp(null);
      const event = await suite.api.create.event();
      for (let i = 0; i < 3; i++) await suite.api.create.ticket({ user_id: ada.user_id, event_id: event.id });
      const pages = await suite.door.as(ada).pages('/users/me/tickets?limit=2');
      expect(pages.map((page) => page.length)).toEqual([2, 1]);
    });
  });

  describe('PATCH /users/{user_id}', () => {
    const PLACE = { location_address: 'Here', location_latitude: 1.5, location_longitude: -2.5 };
    const NOWHERE = { location_address: null, location_latitude: null, location_longitude: null };

    const patch = (user: { id: number }, body: unknown) =>
      suite.api.client.as(tokenOf(user.id)).send('PATCH', `/users/${user.id}`, json(body));

    it.each([
      ['the name', {}, { name: 'Augusta Ada King' }, { name: 'Augusta Ada King', ...NOWHERE }],
      ['nothing', PLACE, {}, { name: 'Ada Lovelace', ...PLACE }],
      [
        'the place',
        PLACE,
        { location_latitude: 0, location_longitude: 0 },
        { ...PLACE, location_latitude: 0, location_longitude: 0 },
      ],
      ['the address', PLACE, { location_address: 'There' }, { ...PLACE, location_address: 'There' }],
      ['an address to none', PLACE, { location_address: null }, { ...PLACE, location_address: null }],
      [
        'a place to none',
        PLACE,
        { location_latitude: null, location_longitude: null },
        { ...NOWHERE, location_address: 'Here' },
      ],
      ['all of the location to none', PLACE, NOWHERE, NOWHERE],
    ])('changes %s and leaves the rest', async (_what, before, changes, after) => {
      const user = await suite.api.create.user(before);
      const { status, body } = await patch(user, changes);
      expect([status, body]).toEqual([200, { ...user, ...after }]);
      expect((await suite.api.client.get(`/users/${user.id}`)).body).toEqual(body);
    });

    it.each([
      [{ name: null }, ['/name']],
      [{ name: '' }, ['/name']],
      [{ name: 'n'.repeat(101) }, ['/name']],
      [{ email: 'new@example.com' }, ['/email']],
      [{ password: 'a password of its own' }, ['/password']],
      [{ role: 'admin', id: 1, created_at: '2030-01-01T00:00:00Z' }, ['/role', '/id', '/created_at']],
      [{ location_latitude: 5 }, ['/location_latitude']],
      [{ location_longitude: 5 }, ['/location_longitude']],
      [{ location_latitude: null }, ['/location_latitude']],
      [{ location_latitude: 5, location_longitude: null }, ['/location_latitude']],
      [{ location_latitude: '5', location_longitude: 5 }, ['/location_latitude']],
      [{ location_latitude: 90.1, location_longitude: 181 }, ['/location_latitude', '/location_longitude']],
      [{ location_address: 5 }, ['/location_address']],
      [[], ['']],
    ])('refuses %j, and changes nothing', async (body, pointers) => {
      const user = await suite.api.create.user(PLACE);
      expectProblem(await patch(user, body), 422, 'validation_failed', { pointers });
      expect((await suite.api.client.get(`/users/${user.id}`)).body).toEqual(user);
    });

    it('lets an admin change anyone who is there', async () => {
      const user = await suite.api.create.user();
      const { body } = await suite.api.client.send('PATCH', `/users/${user.id}`, json({ name: 'Grace' }));
      expect(body).toEqual({ ...user, name: 'Grace' });
      for (const changes of [{ name: 'Grace' }, {}]) {
        expectProblem(
          await suite.api.client.send('PATCH', '/users/999999', json(changes)),
          404,
          'user_not_found',
        );
      }
    });
  });
});

const json = (body: unknown): RequestInit => ({
  body: JSON.stringify(body),
  headers: { 'Content-Type': 'application/json' },
});
