import { AccessTokens } from '../../src/auth/access-tokens';
import type { Role } from '../../src/auth/caller';
import { startTestApi, type TestApi } from '../support/api';
import type { Client } from '../support/client';
import { eventBody, userBody } from '../support/factories';
import { expectProblem } from '../support/problems';
import { PASSWORD, sessionIdOf, type SignedIn } from '../support/sign-in';
import { TEST_SECRET, tokenOf } from '../support/tokens';

const ID = 70_000;
const LOST_SESSION = '6f1c3a52-0d0e-4c5f-9a41-8c2f8f0f2f5e';

/** A token that was issued a minute ago, by the database that is lost. */
const lostToken = (userId: number, role: Role = 'user') =>
  new AccessTokens([TEST_SECRET], () => Date.now() - 60_000).sign(
    { userId, role, createdAt: new Date(0) },
    LOST_SESSION,
  );

describe('an account that got the id of one that is lost', () => {
  let api: TestApi;
  let event: { id: number };
  let ticket: { id: number };
  let sessionId: string;
  /** The client with the token of the lost account. */
  let ghost: Client;
  /** The account that has the id now. */
  let heir: Client;

  beforeAll(async () => {
    api = await startTestApi();
    event = await api.create.event({ total_tickets: 1_000 });
    // As after a restore: the account was there, and is not in the backup; its id is given out again.
    await api.sql(`SELECT setval('users_id_seq', ${ID - 1})`);
    const lost = await api.create.user();
    expect(lost.id).toBe(ID);
    await api.sql('DELETE FROM users WHERE id = $1', [lost.id]);
    await api.sql(`SELECT setval('users_id_seq', ${ID - 1})`);
    const { body } = await api.client.as('').post<SignedIn & { id: number }>('/users/', {
      ...userBody(),
      password: PASSWORD,
      location_latitude: 1,
      location_longitude: 1,
    });
    expect(body.id).toBe(ID);
    sessionId = sessionIdOf(body) ?? '';
    ghost = api.client.as(lostToken(ID));
    heir = api.client.as(body.access_token);
    ticket = await api.create.ticket({ user_id: ID, event_id: event.id });
  });
  afterAll(() => api.stop());

  const state = async () =>
    (
      await api.sql(
        `SELECT (SELECT count(*)::int FROM ticket_states WHERE user_id = $1) AS tickets,
          (SELECT count(*)::int FROM events WHERE organizer_id = $1) AS events,
          (SELECT status FROM ticket_states WHERE id = $2) AS ticket,
          (SELECT count(*)::int FROM sessions WHERE user_id = $1) AS sessions,
          (SELECT name FROM users WHERE id = $1) AS name,
          (SELECT password_hash FROM users WHERE id = $1) AS password`,
        [ID, ticket.id],
      )
    )[0];

  const asked: [
    what: string,
    status: number,
    code: string,
    ask: (client: Client) => ReturnType<Client['get']>,
  ][] = [
    ['reserve', 404, 'user_not_found', (client) => client.post('/tickets/', { event_id: event.id })],
    [
      'reserve with a key',
      404,
      'user_not_found',
      (client) => client.post('/tickets/', { event_id: event.id }, { 'Idempotency-Key': 'reserve' }),
    ],
    ['pay', 404, 'ticket_not_found', (client) => client.post(`/tickets/${ticket.id}/pay`)],
    ['cancel', 404, 'ticket_not_found', (client) => client.post(`/tickets/${ticket.id}/cancel`)],
    ['see a ticket', 404, 'ticket_not_found', (client) => client.get(`/tickets/${ticket.id}`)],
    ['list tickets', 404, 'user_not_found', (client) => client.get(`/users/${ID}/tickets`)],
    ['list tickets as me', 404, 'user_not_found', (client) => client.get('/users/me/tickets')],
    ['create an event', 401, 'unauthenticated', (client) => client.post('/events/', eventBody())],
    ['see the account', 404, 'user_not_found', (client) => client.get('/users/me')],
    [
      'change the account',
      404,
      'user_not_found',
      (client) => client.send('PATCH', '/users/me', json({ name: 'Ghost' })),
    ],
    ['change nothing of it', 404, 'user_not_found', (client) => client.send('PATCH', '/users/me', json({}))],
    [
      'change the password',
      404,
      'user_not_found',
      (client) => client.post('/auth/password', { current: PASSWORD, new: 'the password of a ghost' }),
    ],
    ['find events nearby', 404, 'user_not_found', (client) => client.get('/users/for-you')],
    ['list sessions', 404, 'user_not_found', (client) => client.get('/users/me/sessions')],
    ['end a session', 404, 'session_not_found', (client) => client.send('DELETE', `/sessions/${sessionId}`)],
  ];

  it.each(asked)('lets the old token not %s', async (_what, status, code, ask) => {
    const before = await state();
    expectProblem(await ask(ghost), status, code);
    expect(await state()).toEqual(before);
  });

  it('shows the old token none of its heir’s drafts', async () => {
    const { body: draft } = await heir.post('/events/', { ...eventBody(), status: 'draft' });
    expectProblem(await ghost.get(`/events/${draft.id}`), 404, 'event_not_found');
    expectProblem(await ghost.send('DELETE', `/events/${draft.id}`), 404, 'event_not_found');
    expectProblem(await ghost.send('PATCH', `/events/${draft.id}`, json({})), 404, 'event_not_found');
    expect((await ghost.get(`/events/?organizer_id=${ID}`)).body).toEqual([]);
    expect((await heir.get(`/events/?organizer_id=${ID}`)).body).toEqual([draft]);
    await heir.send('PATCH', `/events/${draft.id}`, json({ status: 'published' }));
    expectProblem(await ghost.send('DELETE', `/events/${draft.id}`), 403, 'forbidden');
    expect((await heir.send('DELETE', `/events/${draft.id}`)).status).toBe(204);
  });

  it('lets the old token of an admin not act for itself', async () => {
    const admin = api.client.as(lostToken(ID, 'admin'));
    expectProblem(await admin.get('/users/me'), 404, 'user_not_found');
    expectProblem(await admin.post('/tickets/', { event_id: event.id }), 404, 'user_not_found');
    expectProblem(await admin.post('/events/', eventBody()), 401, 'unauthenticated');
  });

  it('asks old and new tokens of one batch one by one', async () => {
    const answers = await Promise.all(
      [heir, ghost, heir, ghost, api.client.as(tokenOf(ID))].map((client) =>
        client.post('/tickets/', { event_id: event.id }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([201, 404, 201, 404, 201]);
    const mine = answers.filter(({ status }) => status === 201).map(({ body }) => body.id as number);
    const payments = await Promise.all(
      mine.flatMap((id) => [ghost, heir].map((client) => client.post(`/tickets/${id}/pay`))),
    );
    expect(payments.map(({ status }) => status)).toEqual(mine.flatMap(() => [404, 200]));
  });

  it('lets the new one do it all', async () => {
    const done = asked.filter(([what]) => !/key|session|password/.test(what));
    for (const [what, , , ask] of done) {
      // What is paid is not for cancelling, and says so.
      expect([what, (await ask(heir)).status]).toEqual([
        what,
        what === 'cancel' ? 409 : /reserve|create/.test(what) ? 201 : 200,
      ]);
    }
  });
});

const json = (body: unknown): RequestInit => ({
  body: JSON.stringify(body),
  headers: { 'Content-Type': 'application/json' },
});
