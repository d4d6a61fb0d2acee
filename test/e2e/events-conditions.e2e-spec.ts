import { startTestApi, type TestApi } from '../support/api';
import { eventBody } from '../support/factories';
import { expectProblem } from '../support/problems';

describe('the ETag of an event', () => {
  let api: TestApi;
  let user: { id: number };

  beforeAll(async () => {
    api = await startTestApi();
    user = await api.create.user();
  });
  afterAll(() => api.stop());

  const path = ({ id }: { id: number }) => `/events/${id}`;
  const patch = (event: { id: number }, ifMatch: string | undefined, body: object = { title: 'Changed' }) =>
    api.client.send('PATCH', path(event), {
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', ...(ifMatch !== undefined && { 'If-Match': ifMatch }) },
    });
  const tagOf = async (event: { id: number }) =>
    (await api.client.get(path(event))).headers.get('etag') ?? '';
  const versionIn = (tag: string) => tag.split('.')[0];

  it('is the same from every route that answers the event', async () => {
    for (const status of ['draft', 'published']) {
      const created = await api.client.post('/events/', { ...eventBody(), status });
      const tag = created.headers.get('etag') ?? '';
      expect(tag).toMatch(/^W\/"1\.[\w-]{27}"$/);
      expect(await tagOf(created.body)).toBe(tag);
      const changed = await patch(created.body, tag);
      expect(changed.headers.get('etag')).toMatch(/^W\/"2\.[\w-]{27}"$/);
      expect(changed.headers.get('etag')).toBe(await tagOf(created.body));
    }
  });

  it('comes with the first answer and its replay', async () => {
    const key = { 'Idempotency-Key': 'tagged' };
    const body = eventBody();
    const first = await api.client.post('/events/', body, key);
    const again = await api.client.post('/events/', body, key);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.headers.get('etag')).toBe(first.headers.get('etag'));
    expect(first.headers.get('etag')).toBe(await tagOf(first.body));
  });

  it('lets nothing be overwritten that somebody else changed', async () => {
    const event = await api.create.event();
    const tag = await tagOf(event);
    expect((await patch(event, tag, { title: 'Ada’s' })).status).toBe(200);
    expectProblem(await patch(event, tag, { title: 'Grace’s' }), 412, 'event_changed');
    const { body } = await api.client.get(path(event));
    expect(body.title).toBe('Ada’s');
    expect((await patch(event, await tagOf(event), { title: 'Grace’s' })).status).toBe(200);
    expect((await patch(event, undefined, { title: 'Without' })).status).toBe(200);
  });

  it('lets one of many win who change the same', async () => {
    const event = await api.create.event();
    const tag = await tagOf(event);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => patch(event, tag, { title: `The ${i}th` })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(9).fill(412)]);
  });

  it('still names the event when only sales changed, and no cache takes one answer for the other', async () => {
    const event = await api.create.event();
    const before = await tagOf(event);
    await api.create.ticket({ user_id: user.id, event_id: event.id });
    const after = await api.client.get(path(event), { 'If-None-Match': before });
    expect([after.status, after.body.tickets_held]).toEqual([200, 1]);
    const tag = after.headers.get('etag') ?? '';
    expect(tag).not.toBe(before);
    expect(versionIn(tag)).toBe(versionIn(before));
    expect((await patch(event, before)).status).toBe(200);
    expectProblem(await patch(event, tag), 412, 'event_changed');
  });

  it.each([
    [{ total_tickets: 20 }, true],
    [{ status: 'published' }, true],
    [{ metadata: { x: 'y' } }, true],
    [{ venue: { address: 'There' } }, true],
    [{}, false],
  ])('changes with %j: %s', async (changes, isChanged) => {
    const event = await api.create.event({ status: 'draft' });
    const before = await tagOf(event);
    await patch(event, undefined, changes);
    expect((await tagOf(event)) !== before).toBe(isChanged);
  });

  it.each([
    ['any', () => '*', 200],
    ['one of several', (tag: string) => `"other", ${tag}`, 200],
    ['one made strong on the way', (tag: string) => tag.replace('W/', ''), 200],
    ['one that a proxy packed', (tag: string) => tag.replace(/"$/, '-gzip"'), 200],
    ['another', () => 'W/"99.x"', 412],
    ['one of another kind', () => '"abc"', 412],
    ['its beginning', () => '"1"', 412],
    ['none', () => '', 412],
    ['words', () => 'latest', 412],
  ])('in If-Match may be %s', async (_what, headerOf, status) => {
    const event = await api.create.event();
    expect((await patch(event, headerOf(await tagOf(event)))).status).toBe(status);
  });

  it('holds for deleting, too', async () => {
    const event = await api.create.event();
    const tag = await tagOf(event);
    await patch(event, tag);
    const remove = (ifMatch: string) =>
      api.client.send('DELETE', path(event), { headers: { 'If-Match': ifMatch } });
    expectProblem(await remove(tag), 412, 'event_changed');
    expect((await remove(await tagOf(event))).status).toBe(204);
  });

  it('is looked at only of an event that there is', async () => {
    expectProblem(await patch({ id: 999_999 }, '*'), 404, 'event_not_found');
  });
});
