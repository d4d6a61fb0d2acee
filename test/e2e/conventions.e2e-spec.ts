import { startTestApi, type TestApi } from '../support/api';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy';
import { createDatabase, type TestDatabase } from '../support/databases';
import { codeBody, eventBody, quotaBody, ticketTypeBody, userBody } from '../support/factories';
import { expectProblem } from '../support/problems';

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

describe('the conventions of every route', () => {
  let api: TestApi;
  let user: { id: number };
  let event: { id: number };

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0' });
    user = await api.create.user({ location_latitude: 0, location_longitude: 0 });
    event = await api.create.event({ total_tickets: 1_000 });
  });
  afterAll(() => api.stop());

  it('GET / greets', async () => {
    expect(await api.client.get('/')).toMatchObject({
      status: 200,
      body: { message: 'Welcome to Tixxety API' },
    });
  });

  it('a slash at the end changes nothing', async () => {
    const reads = [
      '/events',
      `/events/${event.id}`,
      `/users/${user.id}`,
      `/users/${user.id}/tickets`,
      '/openapi.json',
      '/health/live',
    ];
    for (const path of reads) {
      const [without, with_] = [await api.client.get(path), await api.client.get(`${path}/`)];
      expect({ path, status: without.status }).toEqual({ path, status: 200 });
      expect({ path, ...answerOf(with_) }).toEqual({ path, ...answerOf(without) });
    }
    for (const path of [`/users/for-you?user_id=${user.id}`, `/users/for-you/?user_id=${user.id}`]) {
      expect((await api.client.get(path)).status).toBe(200);
    }
    for (const slash of ['', '/']) {
      expect((await api.client.post(`/users${slash}`, userBody())).status).toBe(201);
      expect((await api.client.post(`/events${slash}`, eventBody())).status).toBe(201);
      const order = { user_id: user.id, event_id: event.id };
      const tickets = [
        await api.client.post(`/tickets${slash}`, order),
        await api.client.post(`/tickets${slash}`, order),
      ];
      expect(tickets.map(({ status }) => status)).toEqual([201, 201]);
      const [paid, cancelled] = tickets.map(({ body }) => `/tickets/${body.id}`);
      expect((await api.client.get(`${paid}${slash}`)).status).toBe(200);
      expect((await api.client.post(`${paid}/pay${slash}`)).status).toBe(200);
      expect((await api.client.post(`${cancelled}/cancel${slash}`)).status).toBe(200);
    }
  });

  it('what is created can be found at its Location', async () => {
    const own = await api.create.event();
    const created = [
      await api.client.post('/users/', userBody()),
      await api.client.post('/events/', eventBody()),
      await api.client.post('/tickets/', { user_id: user.id, event_id: event.id }),
      await api.client.post(`/events/${own.id}/ticket-types`, ticketTypeBody()),
      await api.client.post(`/events/${own.id}/quotas`, quotaBody()),
      await api.client.post(`/events/${own.id}/codes`, codeBody()),
      await api.client.post(`/events/${own.id}/devices`, { name: 'North' }),
    ];
    for (const { status, headers, body } of created) {
      expect(status).toBe(201);
      const found = await api.client.get(headers.get('location') ?? '');
      expect(found).toMatchObject({ status: 200, body: { id: body.id } });
    }
  });

  it('answers JSON in UTF-8', async () => {
    const { headers } = await api.client.get('/events');
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  it('HEAD answers as GET does, without a body', async () => {
    const [get, head] = [await api.client.get('/events'), await api.client.send('HEAD', '/events')];
    expect(head).toMatchObject({ status: 200, body: '' });
    for (const name of ['content-type', 'content-length', 'link']) {
      expect(head.headers.get(name)).toBe(get.headers.get(name));
    }
  });

  it('tells nobody what it is made of', async () => {
    const { headers } = await api.client.get('/');
    expect([headers.get('x-powered-by'), headers.get('server')]).toEqual([null, null]);
  });

  describe('X-Request-Id', () => {
    it.each(['7f1c', 'a'.repeat(128), 'trace.01-AB_cd'])('takes %s from the client', async (id) => {
      for (const path of ['/', '/nothing', '/events/abc']) {
        const { headers, body } = await api.client.get(path, { 'X-Request-Id': id });
        expect(headers.get('x-request-id')).toBe(id);
        if (path !== '/') expect(body.request_id).toBe(id);
      }
    });

    it.each([
      ['none', undefined],
      ['an empty one', ''],
      ['129 characters', 'a'.repeat(129)],
      ['what could pass for another header', 'a, b: c'],
      ['what could pass for a line of the log', '"}{"level":50'],
      ['letters that are not ASCII', 'é'],
    ])('is a new one for %s', async (_what, id) => {
      const ask = () => api.client.get('/nothing', id === undefined ? {} : { 'X-Request-Id': id });
      const [one, other] = [await ask(), await ask()];
      expect(one.headers.get('x-request-id')).toMatch(UUID);
      expect(one.body.request_id).toBe(one.headers.get('x-request-id'));
      expect(other.body.request_id).not.toBe(one.body.request_id);
    });
  });

  describe('refuses', () => {
    it.each([
      '/nothing',
      '/users/1/tickets/2',
      '/users/1/events',
      '/tickets/1/refund',
      '/events//',
      '//events',
      '/docs/nothing',
      '/docs/..%2f..%2fpackage.json',
      '/docs/%00',
      '/.env',
      '/constructor',
      '/__proto__',
    ])('GET %s: there is nothing', async (path) => {
      expectProblem(await api.client.get(path), 404, 'route_not_found');
    });

    const ROUTES = {
      '/': ['GET'],
      '/users': ['POST'],
      '/users/1': ['GET', 'PATCH'],
      // PATCH by the template /users/{user_id}, which then refuses the id.
      '/users/for-you': ['GET', 'PATCH'],
      '/users/1/tickets': ['GET'],
      '/events': ['GET', 'POST'],
      '/events/1': ['DELETE', 'GET', 'PATCH'],
      '/tickets': ['POST'],
      '/tickets/1': ['GET', 'PATCH'],
      '/tickets/1/void': ['POST'],
      '/orders': ['POST'],
      '/orders/7ZZFG2K9QX': ['GET'],
      '/orders/7ZZFG2K9QX/cancel': ['POST'],
      '/orders/7ZZFG2K9QX/extend': ['POST'],
      '/orders/7ZZFG2K9QX/payments': ['GET', 'POST'],
      '/orders/7ZZFG2K9QX/refunds': ['GET', 'POST'],
      '/refunds/1/retry': ['POST'],
      '/payments/events/sandbox': ['POST'],
      '/users/1/orders': ['GET'],
      '/events/1/orders': ['GET'],
      '/events/1/payments': ['GET'],
      '/events/1/summary': ['GET'],
      '/events/1/cancel': ['POST'],
      '/events/1/cancellation': ['GET'],
      '/tickets/1/pay': ['POST'],
      '/tickets/1/cancel': ['POST'],
      '/openapi.json': ['GET'],
      '/docs': ['GET'],
      '/docs/errors': ['GET'],
      '/health/live': ['GET'],
      '/health/ready': ['GET'],
    };

    it.each(Object.entries(ROUTES))('on %s all methods but %j', async (path, allowed) => {
      const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'];
      for (const method of methods.filter((method) => !allowed.includes(method))) {
        for (const address of path === '/' ? [path] : [path, `${path}/`]) {
          const answer = await api.client.send(method, address);
          expectProblem(answer, 405, 'method_not_allowed');
          expect(answer.headers.get('allow')).toBe(allowed.join(', '));
        }
      }
    });

    it('a method that it does not know at all', async () => {
      expectProblem(await api.client.send('DELETE', '/nothing'), 404, 'route_not_found');
    });

    it.each(['/events/1', '/users/1', '/tickets/1', '/', '/health/live'])(
      'query parameters on %s, which takes none',
      async (path) => {
        expectProblem(await api.client.get(`${path}?verbose=1&a=`), 422, 'validation_failed', {
          pointers: ['/verbose', '/a'],
        });
      },
    );
  });

  describe('a database out of reach', () => {
    let database: TestDatabase;
    let proxy: FaultProxy;
    let cut: TestApi;

    beforeAll(async () => {
      database = await createDatabase();
      proxy = await startFaultProxy(database.url);
      cut = await startTestApi({ DATABASE_URL: proxy.url });
    });
    afterAll(async () => {
      await cut.stop();
      await proxy.cut();
      await database.drop();
    });

    it('is a 503 that says when to try again, and no harm once it is back', async () => {
      const { id } = await cut.create.event();
      await proxy.cut();
      const answers = [
        await cut.client.get('/events'),
        await cut.client.get(`/events/${id}`),
        await cut.client.post('/users/', userBody()),
        await cut.client.post('/events/', eventBody()),
        await cut.client.post('/tickets/', { user_id: 1, event_id: id }),
        await cut.client.post('/tickets/1/pay'),
      ];
      for (const answer of answers) {
        expectProblem(answer, 503, 'service_unavailable');
        expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
      }
      expect((await cut.client.get('/')).status).toBe(200);
      await proxy.heal();
      expect(await cut.client.get(`/events/${id}`)).toMatchObject({ status: 200, body: { id } });
    });
  });
});

const answerOf = ({ status, body }: { status: number; body: unknown }) => ({ status, body });
