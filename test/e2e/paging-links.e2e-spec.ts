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
});
