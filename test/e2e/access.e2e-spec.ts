import { Passwords } from '../../src/auth/passwords';
import { SessionsService } from '../../src/users/sessions.service';
import { CALLERS, MATRIX, OF_A_DRAFT, type CallerName } from '../support/access-matrix';
import { startTestApi, type TestApi } from '../support/api';
import type { Answer, Client } from '../support/client';
import { codeBody, eventBody, quotaBody, ticketTypeBody, userBody } from '../support/factories';
import { scanOf } from '../support/gate';
import { expectProblem } from '../support/problems';
import { tokenOf } from '../support/tokens';

const PASSWORD = 'notes on the engine';

describe('who may do what', () => {
  let api: TestApi;
  let as: Record<CallerName, Client>;
  let owner: { id: number };
  let event: { id: number };
  let type: number;
  /** The organizer's, too: one that is cancelled, and one with several ticket types, quotas and codes. */
  let cancelled: { id: number };
  let sale: { id: number };
  let documented: string[];

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0' });
    const newUser = () => api.create.user();
    const [another, organizer, elsewhere] = [await newUser(), await newUser(), await newUser()];
    owner = await api.create.user({ location_latitude: 0, location_longitude: 0 });
    as = {
      nobody: api.client.as(''),
      another: api.client.as(tokenOf(another.id)),
      owner: api.client.as(tokenOf(owner.id)),
      organizer: api.client.as(tokenOf(organizer.id)),
      elsewhere: api.client.as(tokenOf(elsewhere.id)),
      admin: api.client,
      device: api.client,
    };
    event = (await as.organizer.post('/events/', { ...eventBody(), total_tickets: 1_000 })).body;
    await as.elsewhere.post('/events/', eventBody());
    cancelled = (await as.organizer.post('/events/', eventBody())).body;
    await as.organizer.post(`/events/${cancelled.id}/cancel`);
    sale = (await as.organizer.post('/events/', eventBody())).body;
    const { body: device } = await as.organizer.post(`/events/${event.id}/devices`, { name: 'North' });
    as.device = api.client.as(device.token as string);
    const query = 'SELECT id FROM ticket_types WHERE event_id = $1';
    type = (await api.sql<{ id: number }>(query, [event.id]))[0]?.id ?? 0;
    const passwordHash = await api.app.get(Passwords).hash(PASSWORD);
    await api.sql('UPDATE users SET password_hash = $1', [passwordHash]);
    const { body } = await as.nobody.get('/openapi.json');
    documented = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
  });
  afterAll(() => api.stop());

  const refreshToken = async () => {
    const account = { userId: owner.id, role: 'user', createdAt: new Date(0) } as const;
    return (await api.app.get(SessionsService).begin(account)).refreshToken ?? '';
  };

  /** What an operation is sent beside its path. */
  const inputs: Record<string, () => object | Promise<object>> = {
    'POST /auth/token': async () => ({ grant_type: 'refresh_token', refresh_token: await refreshToken() }),
    'POST /auth/revoke': async () => ({ token: await refreshToken() }),
    'POST /auth/password': () => ({ current: PASSWORD, new: PASSWORD }),
    'POST /users': userBody,
    'PATCH /users/{user_id}': () => ({ name: 'Augusta Ada King' }),
    'GET /users/for-you': () => ({ user_id: owner.id }),
    'POST /events': eventBody,
    'PATCH /events/{event_id}': () => ({ title: 'Changed' }),
    'POST /tickets': () => ({ user_id: owner.id, event_id: event.id }),
    'PATCH /tickets/{ticket_id}': () => ({ attendee: { name: 'Ada Lovelace' } }),
    'POST /orders': () => ({
      user_id: owner.id,
      event_id: event.id,
      items: [{ ticket_type_id: type, quantity: 1 }],
    }),
    'POST /orders/{code}/payments': () => ({}),
    'POST /orders/{code}/refunds': () => ({}),
    'POST /payments/events/{provider}': () => ({ id: 'evt_1', data: { payment: 'pay_1' } }),
    'POST /events/{event_id}/ticket-types': ticketTypeBody,
    'PATCH /ticket-types/{ticket_type_id}': () => ({ name: 'Parquet' }),
    'POST /events/{event_id}/quotas': quotaBody,
    'PATCH /quotas/{quota_id}': () => ({ capacity: 3 }),
    'POST /events/{event_id}/codes': codeBody,
    'PATCH /codes/{code_id}': () => ({ max_uses: 3 }),
    'POST /events/{event_id}/devices': () => ({ name: 'South' }),
    'POST /events/{event_id}/check-ins': () => scanOf({ token: 'nonsense' }),
    'POST /events/{event_id}/check-ins/batch': () => ({ check_ins: [scanOf({ token: 'nonsense' })] }),
  };

  /** What an operation changes or deletes of the event that is for sale: another each time. */
  const created: Record<string, () => Promise<{ id: number }>> = {
    ticket_type_id: () => api.create.ticketType(sale),
    quota_id: () => api.create.quota(sale),
    code_id: () => api.create.code(sale),
    device_id: async () =>
      (await api.client.post(`/events/${sale.id}/devices`, { name: 'South' })).body as { id: number },
  };

  /** Of an order that was never paid: its refund failed, and its ticket is as it was. */
  async function failedRefund(ticket: { id: number }): Promise<number> {
    const rows = await api.sql<{ id: number }>(
      `INSERT INTO refunds (order_id, event_id, payment_id, status, amount, currency, cause, created_at)
      SELECT order_id, $2, 0, 'failed', 1, 'EUR', 'organizer', now() FROM tickets WHERE id = $1 RETURNING id`,
      [ticket.id, event.id],
    );
    return rows[0]?.id ?? 0;
  }

  async function ask(
    operation: string,
    caller: CallerName,
    ids: Record<string, number | string | undefined>,
  ): Promise<Answer> {
    const [method, template = ''] = operation.split(' ');
    const path = template.replace(/\{(\w+)\}/, (_, name: string) => String(ids[name]));
    const input = await inputs[operation]?.();
    if (method === 'GET') {
      return await as[caller].get(
        `${path}?${new URLSearchParams(input as Record<string, string>).toString()}`,
      );
    }
    return await as[caller].send(method ?? '', path, {
      ...(input && { body: JSON.stringify(input), headers: { 'Content-Type': 'application/json' } }),
    });
  }

  it('is said of every operation there is', () => {
    expect(documented.sort()).toEqual(Object.keys(MATRIX).sort());
  });

  describe.each(Object.entries(MATRIX))('%s', (operation, statuses) => {
    it.each(CALLERS)('asked by %s', async (caller) => {
      const ticket = await api.create.ticket({ user_id: owner.id, event_id: event.id });
      const [session_id = ''] = (await refreshToken()).split('.');
      const untouched = operation.startsWith('DELETE /events')
        ? (await as.organizer.post('/events/', eventBody())).body
        : operation.includes('cancel')
          ? cancelled
          : /(ticket-types|quotas|codes)$/.test(operation)
            ? sale
            : event;
      const named = Object.keys(created).find((name) => operation.includes(`{${name}}`));
      const ids = {
        user_id: owner.id,
        event_id: untouched.id,
        ticket_id: ticket.id,
        session_id,
        code: ticket.order_code,
        provider: 'sandbox',
        refund_id: operation.includes('{refund_id}') ? await failedRefund(ticket) : 0,
        ...(named && { [named]: (await created[named]?.())?.id }),
      };
      const before = await eventAs(untouched.id);
      const answer = await ask(operation, caller, ids);
      expect(answer.status).toBe(statuses[caller]);
      if (answer.status < 400) return;

      const [after] = await api.sql(
        'SELECT status, (SELECT count(*)::int FROM sessions WHERE id = $2) AS sessions FROM ticket_states WHERE id = $1',
        [ticket.id, session_id],
      );
      expect(after).toEqual({ status: 'reserved', sessions: 1 });
      expect(await eventAs(untouched.id)).toEqual(before);
      if (answer.status === 400) return;
      if (caller === 'nobody') {
        expectProblem(answer, 401, 'unauthenticated');
        expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="Tixxety API"');
        return;
      }
      if (answer.status === 403) {
        expectProblem(answer, 403, 'forbidden');
        return;
      }
      if (answer.status === 409) return;
      // Everyone sees the event, so that there is nothing to hide.
      if (/^(PATCH|DELETE) \/events/.test(operation)) {
        expectProblem(answer, 403, 'forbidden');
        return;
      }
      // A foreign object can't be told from a missing one.
      const none = {
        user_id: 999_999,
        event_id: 999_999,
        ticket_id: 999_999,
        code: 'ZZZZZZZZZZ',
        refund_id: 999_999,
        ticket_type_id: 999_999,
        quota_id: 999_999,
        code_id: 999_999,
        device_id: 999_999,
        session_id: '00000000-0000-4000-8000-000000000000',
      };
      const missing = operation.includes('{')
        ? await ask(operation, caller, none)
        : await as[caller].send(...elsewhere(operation));
      expectProblem(answer, statuses[caller], missing.body.code);
      expect({ ...answer.body, request_id: '' }).toEqual({ ...missing.body, request_id: '' });
    });
  });

  describe.each(Object.entries(OF_A_DRAFT))('%s, of a draft', (operation, statuses) => {
    it.each(CALLERS)('asked by %s', async (caller) => {
      const { body: draft } = await as.organizer.post('/events/', { ...eventBody(), status: 'draft' });
      const answer = await ask(operation, caller, { event_id: draft.id });
      expect(answer.status).toBe(statuses[caller]);
      if (answer.status < 400) return;
      expect(await eventAs(draft.id)).toMatchObject({ title: draft.title, status: 'draft', version: 1 });
      const missing = await ask(operation, caller, { event_id: 999_999 });
      expect({ ...answer.body, request_id: '' }).toEqual({ ...missing.body, request_id: '' });
    });
  });

  const eventAs = async (id: number) => (await api.sql('SELECT * FROM events WHERE id = $1', [id]))[0];

  /** The same for a user that does not exist. */
  function elsewhere(operation: string): [string, string, RequestInit] {
    if (operation === 'GET /users/for-you') return ['GET', '/users/for-you?user_id=999999', {}];
    const items = operation === 'POST /orders' && { items: [{ ticket_type_id: type, quantity: 1 }] };
    const body = JSON.stringify({ user_id: 999_999, event_id: event.id, ...items });
    return [
      'POST',
      operation.slice('POST '.length),
      { body, headers: { 'Content-Type': 'application/json' } },
    ];
  }

  it('means the caller where no user is named', async () => {
    const ticket = await as.owner.post('/tickets/', { event_id: event.id });
    expect(ticket).toMatchObject({ status: 201, body: { user_id: owner.id } });
    expect((await as.owner.get('/users/for-you/')).status).toBe(200);
    expectProblem(await as.another.get('/users/for-you/'), 404, 'user_location_not_set');
  });

  it('makes whoever creates an event its organizer', async () => {
    const { body } = await as.another.post('/events/', eventBody());
    const query = 'SELECT role FROM users JOIN events ON organizer_id = users.id WHERE events.id = $1';
    const rows = await api.sql(query, [body.id]);
    expect(rows).toEqual([{ role: 'user' }]);
  });

  it('takes nobody for an organizer whose account is gone', async () => {
    const ghost = api.client.as(tokenOf(999_999));
    expectProblem(await ghost.post('/events/', eventBody()), 401, 'unauthenticated');
    expectProblem(await ghost.post('/tickets/', { event_id: event.id }), 404, 'user_not_found');
    expectProblem(await ghost.get('/users/999999'), 404, 'user_not_found');
  });

  it.each(['/docs', '/docs/errors', '/openapi.json', '/health/live', '/health/ready'])(
    'leaves %s open to everybody',
    async (path) => expect((await as.nobody.get(path)).status).toBe(200),
  );

  it('resolves the holds of many callers in one batch, to each their own', async () => {
    const tickets = await Promise.all(
      Array.from({ length: 20 }, () => api.create.ticket({ user_id: owner.id, event_id: event.id })),
    );
    const answers = await Promise.all(
      tickets.flatMap(({ id }) =>
        (['another', 'owner', 'organizer'] as const).map((caller) => as[caller].post(`/tickets/${id}/pay`)),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(tickets.flatMap(() => [404, 200, 404]));
  });

  describe('nobody takes more than is theirs', () => {
    const stolen = {
      role: 'admin',
      status: 'paid',
      tickets_sold: 5,
      organizer_id: 1,
      password_hash: 'x',
      id: 7,
    };

    it.each(Object.entries(stolen))('by sending %s', async (name, value) => {
      for (const [path, body] of [
        ['/users/', userBody()],
        ['/events/', eventBody()],
        ['/tickets/', { event_id: event.id }],
        ['/orders/', { event_id: event.id, items: [{ ticket_type_id: type, quantity: 1 }] }],
        ['/auth/token', { grant_type: 'refresh_token', refresh_token: 'x' }],
      ] as const) {
        const answer = await as.owner.post(path, { ...body, [name]: value });
        expectProblem(answer, 422, 'validation_failed', { pointers: [`/${name}`] });
      }
    });

    it.each(['__proto__', 'constructor', 'prototype'])('by sending %s', async (name) => {
      const body = JSON.stringify({ ...userBody(), x: 1 }).replace('"x":1', `"${name}":{"role":"admin"}`);
      const headers = { 'Content-Type': 'application/json' };
      expectProblem(await as.nobody.send('POST', '/users/', { body, headers }), 422, 'validation_failed', {
        pointers: [`/${name}`],
      });
      expect(({} as { role?: string }).role).toBeUndefined();
    });
  });
});
