import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { startTestApi, type TestApi } from '../support/api';
import { eventBody } from '../support/factories';
import { expectProblem } from '../support/problems';
import { tokenOf } from '../support/tokens';

const PUBLIC = 'public, max-age=0, s-maxage=1';

interface Raw {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

describe('events, which are the same for every caller', () => {
  let api: TestApi;
  let small: { id: number };
  let large: { id: number };

  beforeAll(async () => {
    api = await startTestApi();
    small = await api.create.event();
    large = await api.create.event({ description: 'Very long. '.repeat(800) });
  });
  afterAll(() => api.stop());

  /** As it goes over the wire: `fetch` unpacks by itself. */
  async function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Raw> {
    const request = httpRequest(api.client.url + path, { method, headers });
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return { status: response.statusCode ?? 0, headers: response.headers, body: await buffer(response) };
  }
  const tagOf = async (path: string) => (await ask(path)).headers.etag ?? '';

  describe.each([
    ['the list', () => '/events'],
    ['the list with filters', () => '/events/?available=true&limit=1'],
    ['one', () => `/events/${small.id}`],
    ['the ticket types of one', () => `/events/${small.id}/ticket-types`],
  ])('%s', (_what, pathOf) => {
    it('may be kept, with a tag that stands for what it says', async () => {
      const first = await ask(pathOf());
      expect(first.headers).toMatchObject({
        'cache-control': PUBLIC,
        etag: expect.stringMatching(/^W\/"(\d+\.)?[\w-]{27}"$/),
        vary: expect.stringMatching(/Accept-Encoding/),
      });
      const signedIn = await ask(pathOf(), { Authorization: `Bearer ${tokenOf(1)}` });
      expect(signedIn.headers.etag).toBe(first.headers.etag);
    });

    it('is not sent again to a client that has it', async () => {
      const { etag = '', link } = (await ask(pathOf())).headers;
      for (const tags of [etag, etag.replace('W/', ''), `"other", ${etag}`, '*']) {
        const answer = await ask(pathOf(), { 'If-None-Match': tags });
        expect([tags, answer.status, answer.body.length]).toEqual([tags, 304, 0]);
        expect(answer.headers).toMatchObject({ etag, 'cache-control': PUBLIC, vary: expect.any(String) });
        expect(answer.headers.link).toBe(link);
        expect(answer.headers).not.toHaveProperty('content-type');
      }
      const other = await ask(pathOf(), { 'If-None-Match': '"other"' });
      expect([other.status, other.headers.etag]).toEqual([200, etag]);
      // So `fetch` asks; a browser that is to load all anew sends no tag.
      const fetched = await ask(pathOf(), { 'If-None-Match': etag, 'Cache-Control': 'no-cache' });
      expect(fetched.status).toBe(304);
    });

    it('is asked for with HEAD the same way', async () => {
      const head = await ask(pathOf(), {}, 'HEAD');
      const { headers } = await ask(pathOf());
      expect([head.status, head.body.length]).toEqual([200, 0]);
      for (const name of ['etag', 'content-length', 'cache-control'] as const)
        expect(head.headers[name]).toBe(headers[name]);
      expect((await ask(pathOf(), { 'If-None-Match': headers.etag ?? '' }, 'HEAD')).status).toBe(304);
    });
  });

  it('have another tag as soon as a place is taken', async () => {
    const event = await api.create.event();
    const [before, list] = [await tagOf(`/events/${event.id}`), await tagOf('/events')];
    const user = await api.create.user();
    await api.create.ticket({ user_id: user.id, event_id: event.id });
    const answer = await ask(`/events/${event.id}`, { 'If-None-Match': before });
    expect([answer.status, JSON.parse(answer.body.toString()).tickets_held]).toEqual([200, 1]);
    expect(await tagOf('/events')).not.toBe(list);
  });

  it('are kept by nobody where they are not: drafts, and the list of an organizer with their drafts', async () => {
    const { id } = await api.create.user();
    const Authorization = `Bearer ${tokenOf(id)}`;
    const client = api.client.as(tokenOf(id));
    const { body: draft } = await client.post('/events/', { ...eventBody(), status: 'draft' });
    for (const path of [`/events/${draft.id}`, `/events/?organizer_id=${id}`]) {
      const { status, headers } = await ask(path, { Authorization });
      expect([status, headers['cache-control']]).toEqual([200, 'no-store']);
      const asked = await ask(path, { Authorization, 'If-None-Match': '*' });
      expect(asked.status).toBe(200);
    }
    // The list of theirs that everybody sees is kept, but not for the organizer.
    const { headers } = await ask(`/events/?organizer_id=${id}`);
    expect(headers).toMatchObject({
      'cache-control': PUBLIC,
      vary: expect.stringMatching(/Authorization/),
    });
    expect((await ask(`/events/${draft.id}`)).headers['cache-control']).toBe('no-store');
  });

  describe('are packed', () => {
    it.each(['gzip', 'gzip, deflate, br', 'br;q=1, gzip;q=0.5', '*'])(
      'for a client that takes %s',
      async (accepted) => {
        const plain = await ask('/events');
        const packed = await ask('/events', { 'Accept-Encoding': accepted });
        expect(packed.headers).toMatchObject({
          'content-encoding': 'gzip',
          'content-length': String(packed.body.length),
          etag: plain.headers.etag,
        });
        expect(packed.body.length).toBeLessThan(plain.body.length / 3);
        expect(gunzipSync(packed.body).toString()).toBe(plain.body.toString());
      },
    );

    it.each(['identity', 'br', 'gzip;q=0', 'identity;q=1, gzip;q=0.5', 'nonsense', ''])(
      'not for a client that takes %j',
      async (accepted) => {
        const answer = await ask('/events', { 'Accept-Encoding': accepted });
        expect(answer.headers).not.toHaveProperty('content-encoding');
        expect(JSON.parse(answer.body.toString())).toEqual(expect.any(Array));
      },
    );

    it('where it is worth it', async () => {
      const gzip = { 'Accept-Encoding': 'gzip' };
      expect((await ask(`/events/${small.id}`, gzip)).headers).not.toHaveProperty('content-encoding');
      expect((await ask(`/events/${large.id}`, gzip)).headers['content-encoding']).toBe('gzip');
    });

    it('or not, and are right, where many ask at once', async () => {
      const answers = await Promise.all(
        Array.from({ length: 30 }, () => ask('/events', { 'Accept-Encoding': 'gzip' })),
      );
      const bodies = answers.map(({ headers, body }) =>
        (headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString(),
      );
      expect(new Set(bodies).size).toBe(1);
      expect(answers.every(({ status }) => status === 200)).toBe(true);
    });
  });

  it('are all there is to keep: nothing else is kept, tagged or packed', async () => {
    const user = await api.create.user();
    const event = await api.create.event({ total_tickets: 100 });
    for (let i = 0; i < 10; i++) await api.create.ticket({ user_id: user.id, event_id: event.id });
    const Authorization = `Bearer ${tokenOf(user.id)}`;
    const asked: [path: string, method: string][] = [
      ['/users/me', 'GET'],
      ['/users/me/tickets', 'GET'],
      ['/users/me/sessions', 'GET'],
      ['/events/999999', 'GET'],
      ['/events?limit=0', 'GET'],
      ['/', 'GET'],
      ['/health/live', 'GET'],
    ];
    for (const [path, method] of asked) {
      const { headers } = await ask(path, { Authorization, 'Accept-Encoding': 'gzip' }, method);
      expect([path, headers['cache-control'], headers.etag, headers['content-encoding']]).toEqual([
        path,
        'no-store',
        undefined,
        undefined,
      ]);
    }
    const refused = await api.client.get('/events/999999', { 'If-None-Match': '*' });
    expectProblem(refused, 404, 'event_not_found');
  });
});
