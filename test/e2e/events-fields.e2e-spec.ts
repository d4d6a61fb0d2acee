import { startTestApi, type TestApi } from '../support/api';
import { eventBody } from '../support/factories';
import { expectProblem } from '../support/problems';
import { titled } from '../support/tables';

describe('what an event says of itself for clients and calendars', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.stop());

  const post = (body: unknown) => api.client.post('/events/', body);
  const show = async ({ id }: { id: number }) => (await api.client.get(`/events/${id}`)).body;

  it.each([
    ['status', null, 'published'],
    ['status', 'published', 'published'],
    ['currency', null, null],
    ['currency', 'JPY', 'JPY'],
    ['currency', 'KWD', 'KWD'],
    ['timezone', null, 'UTC'],
    ['timezone', 'America/Argentina/Buenos_Aires', 'America/Argentina/Buenos_Aires'],
    ['timezone', 'Etc/GMT+5', 'Etc/GMT+5'],
    ['timezone', 'Asia/Kolkata', 'Asia/Kolkata'],
    ['timezone', 'CET', 'CET'],
    ['timezone', 'EST5EDT', 'EST5EDT'],
    ['timezone', 'NZ', 'NZ'],
    ['max_tickets_per_user', null, null],
    ['max_tickets_per_user', 1, 1],
    ['metadata', null, {}],
    ['metadata', {}, {}],
  ])('takes the %s %j', async (field, value, answered) => {
    const event = await api.create.event({ [field]: value });
    expect(event[field]).toEqual(answered);
    expect(await show(event)).toEqual(event);
  });

  it('gives metadata back as they came, also the longest', async () => {
    const metadata = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`${i}${'🎻'.repeat(38)}`, '🎟'.repeat(500)]),
    );
    const event = await api.create.event({ metadata });
    expect(event.metadata).toEqual(metadata);
    expect(await show(event)).toEqual(event);
  });

  it('gives metadata back under names that every object inherits', async () => {
    const inherited = '{"__proto__":"a","constructor":"b","valueOf":"c","toString":"d"}';
    const send = (method: string, path: string, body: object) =>
      api.client.send(method, path, {
        body: JSON.stringify({ ...body, metadata: 0 }).replace('"metadata":0', `"metadata":${inherited}`),
        headers: { 'Content-Type': 'application/json' },
      });
    const { status, body: event } = await send('POST', '/events/', eventBody());
    expect(status).toBe(201);
    const changed = await send('PATCH', `/events/${event.id}`, { title: 'Changed' });
    const [type] = (await api.client.get(`/events/${event.id}/ticket-types`)).body;
    const items = [{ ticket_type_id: type.id, quantity: 1 }];
    const order = await send('POST', '/orders', { event_id: event.id, items });
    for (const { metadata } of [event, changed.body, await show(event), order.body]) {
      expect(Object.entries(metadata).sort()).toEqual(Object.entries(JSON.parse(inherited)).sort());
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it.each([
    { x: 5 },
    { x: null },
    { x: { y: 'z' } },
    { '': 'x' },
    { ' ': 'x' },
    { ['n'.repeat(41)]: 'x' },
    { x: 'v'.repeat(501) },
    { x: 'a\0' },
    { x: 'two\nlines' },
    { x: '\ud800' },
    Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`n${i}`, 'x'])),
    [],
    ['x'],
    'x',
    5,
  ])('refuses the metadata %j', async (metadata) => {
    expectProblem(await post({ ...eventBody(), metadata }), 422, 'validation_failed', {
      pointers: ['/metadata'],
    });
  });

  it.each(
    titled([
      ['status', 'cancelled'],
      ['status', 'DRAFT'],
      ['status', ''],
      ['status', true],
      ['currency', 'eur'],
      ['currency', 'EURO'],
      ['currency', 'ZZZ'],
      ['currency', ''],
      ['currency', 978],
      ['timezone', 'europe/berlin'],
      ['timezone', 'BST'],
      ['timezone', 'AET'],
      ['timezone', 'SystemV/EST5'],
      ['timezone', 'US/Pacific-New'],
      ['timezone', 'Europe/Atlantis'],
      ['timezone', '+02:00'],
      ['timezone', 'utc'],
      ['timezone', ''],
      ['timezone', 'E'.repeat(65)],
      ['timezone', 2],
      ['max_tickets_per_user', 0],
      ['max_tickets_per_user', -1],
      ['max_tickets_per_user', 1.5],
      ['max_tickets_per_user', '5'],
      ['max_tickets_per_user', 10_000_001],
    ]),
  )('refuses %s %s', async (field, _title, value) => {
    expectProblem(await post({ ...eventBody(), [field]: value }), 422, 'validation_failed', {
      pointers: [`/${field}`],
    });
  });
});
