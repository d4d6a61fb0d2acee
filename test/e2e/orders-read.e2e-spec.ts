import { startTestApi, type TestApi } from '../support/api';
import type { Answer } from '../support/client';
import { UNKNOWN } from '../support/bookings';
import { partyOf, stageBy, type OrderBody, type Party } from '../support/orders';
import { expectProblem } from '../support/problems';

describe('reading orders', () => {
  let api: TestApi;
  let organizer: Party;
  let buyer: Party;
  let stranger: Party;
  let event: { id: number };
  let orders: OrderBody[];

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0', MAX_HOLDS_PER_NETWORK_EVENT: '0' });
    [organizer, buyer, stranger] = [await partyOf(api), await partyOf(api), await partyOf(api)];
    event = await stage.event(organizer);
    const items = [{ ticket_type_id: await stage.type(event), quantity: 2 }];
    orders = [];
    for (const name of ['Ada Lovelace', 'Charles Babbage', 'Ærøskøbing']) {
      const contact = { name, email: `${name.length}@example.com` };
      orders.unshift((await buyer.client.post('/orders', { event_id: event.id, items, contact })).body);
    }
    await buyer.client.post(`/orders/${codeOf(2)}/payments`, {});
    await buyer.client.post(`/orders/${codeOf(1)}/cancel`);
  });
  afterAll(() => api.stop());

  const stage = stageBy(() => api);
  const codes = ({ body }: Answer) => (body as { code: string }[]).map(({ code }) => code);
  const codeOf = (i: number) => orders[i]?.code ?? '';
  const all = () => orders.map(({ code }) => code);

  it('GET /orders/{code} shows it to its buyer, the organizer of its event and an admin', async () => {
    const path = `/orders/${codeOf(0)}`;
    for (const client of [buyer.client, organizer.client, api.client]) {
      expect(await client.get(path)).toMatchObject({ status: 200, body: { code: codeOf(0) } });
      expect((await client.get(`${path}/payments`)).status).toBe(200);
    }
    const another = await partyOf(api);
    await stage.event(another);
    for (const client of [stranger.client, another.client]) {
      expectProblem(await client.get(path), 404, 'order_not_found');
      expectProblem(await client.get(`${path}/payments`), 404, 'order_not_found');
    }
    for (const code of ['ZZZZZZZZZZ', 'x', '%20', codeOf(0).slice(1)]) {
      expectProblem(await buyer.client.get(`/orders/${code}`), 404, 'order_not_found');
    }
    expect(await buyer.client.get(path.toLowerCase())).toMatchObject({ status: 200 });
  });

  it('shows a hold that is due as expired, released or not', async () => {
    const items = [{ ticket_type_id: orders[0]?.items[0].ticket_type_id, quantity: 1 }];
    const { body } = await stranger.client.post('/orders', { event_id: event.id, items });
    await stage.fallDue(body.code);
    const shown = await stranger.client.get(`/orders/${body.code}`);
    expect(shown.body).toMatchObject({ status: 'expired', tickets: [{ status: 'expired' }] });
    expect(shown.body.expires_in_ms).toBeUndefined();
    await api.sql(`DELETE FROM tickets USING orders WHERE orders.id = order_id AND user_id = $1`, [
      stranger.id,
    ]);
    await api.sql('DELETE FROM orders WHERE user_id = $1', [stranger.id]);
    await api.sql(`UPDATE quotas SET held = held - 1 WHERE event_id = $1 AND held > 4`, [event.id]);
  });

  describe('GET /users/{user_id}/orders', () => {
    it('lists them, newest first, page by page', async () => {
      for (const path of [`/users/${buyer.id}/orders`, '/users/me/orders']) {
        expect(codes(await buyer.client.get(path))).toEqual(all());
      }
      const first = await buyer.client.get('/users/me/orders?limit=2');
      expect(codes(first)).toEqual(all().slice(0, 2));
      const next = /<(.*)>/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
      const last = await buyer.client.get(next);
      expect(codes(last)).toEqual(all().slice(2));
      expect(last.headers.get('link')).toBeNull();
      expect((await stranger.client.get('/users/me/orders')).body).toEqual([]);
    });

    it('is for the user and an admin', async () => {
      expect((await api.client.get(`/users/${buyer.id}/orders`)).status).toBe(200);
      for (const client of [stranger.client, organizer.client]) {
        expectProblem(await client.get(`/users/${buyer.id}/orders`), 404, 'user_not_found');
      }
      expectProblem(await api.client.get(`/users/${UNKNOWN}/orders`), 404, 'user_not_found');
    });

    it('ends a page early where its orders are long', async () => {
      const [large, type] = [await stage.event(organizer, { total_tickets: 10_000 }), 'x'.repeat(500)];
      const id = await stage.type(large, { most: 100 });
      const metadata = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`n${i}`, type]));
      const many = await partyOf(api);
      for (let i = 0; i < 12; i++) {
        const items = [{ ticket_type_id: id, quantity: 100 }];
        await many.client.post('/orders', { event_id: large.id, items, metadata });
      }
      const first = await many.client.get('/users/me/orders');
      expect(first.body.length).toBeGreaterThan(1);
      expect(first.body.length).toBeLessThan(12);
      const seen = codes(first);
      for (let link = first.headers.get('link'); link;) {
        const page = await many.client.get(/<(.*)>/.exec(link)?.[1] ?? '');
        seen.push(...codes(page));
        link = page.headers.get('link');
      }
      expect(new Set(seen).size).toBe(12);
      expect(seen).toHaveLength(12);
    });
  });

  describe('GET /events/{event_id}/orders', () => {
    const list = (query = '', by: Party = organizer) => by.client.get(`/events/${event.id}/orders${query}`);

    it('lists them for the organizer, newest first, page by page', async () => {
      expect(codes(await list())).toEqual(all());
      const seen: string[] = [];
      for (let path: string | undefined = '?limit=1'; path !== undefined;) {
        const page = await list(path);
        seen.push(...codes(page));
        path = /<\/events\/\d+\/orders(.*)>/.exec(page.headers.get('link') ?? '')?.[1];
      }
      expect(seen).toEqual(all());
    });

    it.each([
      ['status=held', [0]],
      ['status=paid', [2]],
      ['status=cancelled', [1]],
      ['status=refunded', []],
      ['q=LOVELACE', [2]],
      ['q=babbage', [1]],
      ['q=ÆRØ', [0]],
      ['q=12%40example', [2]],
      ['q=nobody', []],
      ['q=%25', []],
      ['q=lovelace&status=cancelled', []],
    ])('finds by %s', async (query, found) => {
      expect(codes(await list(`?${query}`))).toEqual(found.map((i) => codeOf(i)));
    });

    it('finds by the code, and by the e-mail of the buyer', async () => {
      expect(codes(await list(`?q=${codeOf(1).toLowerCase()}`))).toEqual([codeOf(1)]);
      expect(codes(await list(`?q=${codeOf(1)}&status=paid`))).toEqual([]);
      const { email } = (await buyer.client.get('/users/me')).body as { email: string };
      expect(codes(await list(`?q=${encodeURIComponent(email.toUpperCase())}`))).toEqual(all());
      const other = await stage.event(organizer);
      expect((await organizer.client.get(`/events/${other.id}/orders?q=${codeOf(1)}`)).body).toEqual([]);
    });

    it('is for the organizer and an admin', async () => {
      for (const by of [buyer, stranger]) expectProblem(await list('', by), 403, 'forbidden');
      expect((await list('', { id: 0, client: api.client })).status).toBe(200);
      expectProblem(await organizer.client.get(`/events/${UNKNOWN}/orders`), 404, 'event_not_found');
    });

    it.each([
      ['status=reserved', ['/status']],
      ['q=', ['/q']],
      ['limit=0', ['/limit']],
      ['cursor=x', ['/cursor']],
      ['user_id=1', ['/user_id']],
    ])('refuses %s', async (query, pointers) => {
      expectProblem(await list(`?${query}`), 422, 'validation_failed', { pointers });
    });
  });
});
