import { startTestApi, type TestApi } from '../support/api';

const nextOf = (link: string | null) => /^<([^>]+)>; rel="next"$/.exec(link ?? '')?.[1];

describe('paging', () => {
  let api: TestApi;
  beforeEach(async () => {
    api = await startTestApi();
  });
  afterEach(() => api.stop());

  it('has links that any client can follow, against the address it asked for', async () => {
    const ids: number[] = [];
    for (let n = 0; n < 3; n++) ids.push((await api.create.event()).id);
    const seen: number[] = [];
    for (let url: string | undefined = `${api.client.url}/events?limit=1`; url !== undefined;) {
      const response: Response = await fetch(url);
      seen.push(...((await response.json()) as { id: number }[]).map(({ id }) => id));
      const link = nextOf(response.headers.get('link'));
      url = link && new URL(link, response.url).href;
    }
    expect(seen).toEqual(ids);
  });

  it('leads nowhere but to this host', async () => {
    await api.create.event();
    await api.create.event();
    for (const path of ['//events?limit=1', '/events//?limit=1']) {
      const { headers } = await api.client.get(path);
      const next = nextOf(headers.get('link'));
      if (next !== undefined) expect(new URL(next, api.client.url).origin).toBe(api.client.url);
    }
  });

  it('has cursors that belong to one list, of one event, order or user', async () => {
    const paths: string[] = [];
    const cursors: Record<string, string> = {};
    for (let n = 0; n < 2; n++) {
      const [user, event] = [await api.create.user(), await api.create.event()];
      const [type] = (await api.client.get<{ id: number }[]>(`/events/${event.id}/ticket-types`)).body;
      const order = {
        event_id: event.id,
        user_id: user.id,
        items: [{ ticket_type_id: type?.id, quantity: 1 }],
      };
      for (let row = 0; row < 2; row++) {
        await api.create.quota(event, { name: `Seats ${row}` });
        await api.create.code(event);
        await api.client.post(`/events/${event.id}/devices`, { name: `Phone ${row}` });
        const { code } = (await api.client.post('/orders', order)).body;
        await api.client.post(`/orders/${code}/payments`, {});
      }
      await api.create.ticketType(event);
      const lists = ['quotas', 'codes', 'devices', 'orders', 'attendees', 'ticket-types'];
      paths.push(...lists.map((list) => `/events/${event.id}/${list}`));
      paths.push(`/users/${user.id}/orders`, `/users/${user.id}/tickets`);
    }
    for (const path of paths) {
      const next = nextOf((await api.client.get(`${path}?limit=1`)).headers.get('link'));
      cursors[path] = new URL(next ?? '', api.client.url).searchParams.get('cursor') ?? '';
    }
    const taken: string[] = [];
    for (const path of paths) {
      for (const [other, cursor] of Object.entries(cursors)) {
        const { status } = await api.client.get(`${path}?limit=1&cursor=${cursor}`);
        if (status !== 422) taken.push(`${path} takes that of ${other}`);
      }
    }
    expect(taken).toEqual(paths.map((path) => `${path} takes that of ${path}`));
  });
});
