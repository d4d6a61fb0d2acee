import { startTestApi, type TestApi } from '../support/api';
import type { Answer } from '../support/client';
import { gateBy, type GateEvent, type TestDevice } from '../support/gate';
import { partyOf, type Party } from '../support/orders';
import { expectProblem } from '../support/problems';

describe('GET /events/{event_id}/gate', () => {
  let api: TestApi;
  let organizer: Party;
  let event: GateEvent;
  let device: TestDevice;

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0' });
    organizer = await partyOf(api);
  });
  beforeEach(async () => {
    event = await gate.event(organizer);
    device = await gate.device(organizer, event);
  });
  afterAll(() => api.stop());

  const gate = gateBy(() => api);
  const download = (query = '', headers = {}) =>
    device.client.get(`/events/${event.id}/gate${query}`, headers);
  const handOn = (buyer: Party, id: number, name = 'Grace Hopper') =>
    buyer.client.send('PATCH', `/tickets/${id}`, {
      body: JSON.stringify({ attendee: { name, email: 'grace@example.com' } }),
      headers: { 'Content-Type': 'application/json' },
    });
  const nextOf = ({ headers }: Answer) => /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];

  it('gives a device all it needs', async () => {
    const { ticket, buyer } = await gate.ticket(event);
    const { ticket: gone } = await gate.ticket(event);
    await organizer.client.post(`/tickets/${gone.id}/void`);
    await handOn(buyer, ticket.id);
    const { status, body } = await download('?attendees=true');
    expect(status).toBe(200);
    expect(body).toEqual({
      event: {
        id: event.id,
        title: expect.any(String),
        status: 'published',
        start_time: '2099-06-01T19:00:00.000Z',
        end_time: '2099-06-01T22:00:00.000Z',
        timezone: 'UTC',
      },
      keys: (await api.client.get('/.well-known/jwks.json')).body.keys,
      void: [gone.id],
      reissued: [{ ticket_id: ticket.id, generation: 1 }],
      cursor: expect.any(String),
      attendees: [{ ticket_id: ticket.id, ticket_type: 'Stalls', name: 'Grace Hopper' }],
    });
    expect(JSON.stringify(body)).not.toContain('@');
    expect((await download()).body).not.toHaveProperty('attendees');
  });

  it('goes on from the cursor, and tells of what is good again', async () => {
    const { ticket, buyer } = await gate.ticket(event);
    const { ticket: other } = await gate.ticket(event);
    const cursorOf = async (cursor: string) => (await download(`?cursor=${cursor}`)).body;
    let { cursor } = (await download()).body;
    for (let i = 0; i < 2; i++)
      expect(await cursorOf(cursor)).toMatchObject({ void: [], reissued: [], cursor });
    await api.sql(`UPDATE tickets SET fate = 'blocked' WHERE id = $1`, [other.id]);
    expect(await cursorOf(cursor)).toMatchObject({ void: [other.id], reissued: [] });
    await handOn(buyer, ticket.id);
    const both = await cursorOf(cursor);
    expect(both).toMatchObject({ void: [other.id], reissued: [{ ticket_id: ticket.id, generation: 1 }] });
    ({ cursor } = both);
    await api.sql('UPDATE tickets SET fate = NULL WHERE id = $1', [other.id]);
    const { reissued, ...rest } = await cursorOf(cursor);
    expect(rest.void).toEqual([]);
    expect(reissued).toContainEqual({ ticket_id: other.id, generation: 0 });
  });

  it('misses no ticket whose change is committed late', async () => {
    const { ticket } = await gate.ticket(event);
    const { ticket: other } = await gate.ticket(event);
    const { body: before } = await download();
    const runner = await openTransaction();
    await runner.query(`UPDATE tickets SET fate = 'void' WHERE id = $1`, [ticket.id]);
    // Begun later, and committed before.
    await api.sql(`UPDATE tickets SET fate = 'void' WHERE id = $1`, [other.id]);
    const { body: between } = await download(`?cursor=${before.cursor}`);
    expect(between.void).toEqual([other.id]);
    await runner.query('COMMIT');
    const { body: after } = await download(`?cursor=${between.cursor}`);
    expect(after.void).toContain(ticket.id);
  });

  it('is no answer again while nothing has changed', async () => {
    const { ticket } = await gate.ticket(event);
    const first = await download('?attendees=true');
    const tag = { 'If-None-Match': first.headers.get('etag') ?? '' };
    await api.sql('SELECT pg_current_xact_id()');
    const again = await download('?attendees=true', tag);
    expect([again.status, again.body]).toEqual([304, '']);
    await organizer.client.post(`/tickets/${ticket.id}/void`);
    expect((await download('?attendees=true', tag)).status).toBe(200);
    expect(first.headers.get('cache-control')).toBe('private, max-age=0');
  });

  it('comes in pages, which together have each ticket once', async () => {
    const tickets = await gate.tickets(event, 30);
    const { ticket: single } = await gate.ticket(event);
    const gone = tickets.slice(0, 7).map(({ id }) => id);
    await api.sql(`UPDATE tickets SET fate = 'refunded' WHERE id = ANY ($1)`, [gone]);
    const seen: { void: number[]; attendees: { ticket_id: number }[] } = { void: [], attendees: [] };
    let cursor = '';
    for (
      let next: string | undefined = `/events/${event.id}/gate?attendees=true&limit=5`;
      next !== undefined;
    ) {
      const page: Answer = await device.client.get(next);
      expect(page.status).toBe(200);
      seen.void.push(...(page.body.void as number[]));
      seen.attendees.push(...(page.body.attendees as { ticket_id: number }[]));
      cursor = page.body.cursor as string;
      next = nextOf(page);
    }
    expect(seen.void).toEqual(gone);
    const coming = [...tickets.slice(7), single].map(({ id }) => id);
    expect(seen.attendees.map(({ ticket_id }) => ticket_id)).toEqual(coming);
    expect((await download(`?cursor=${cursor}&limit=5`)).body).toMatchObject({ void: [], reissued: [] });
  });

  it('begins anew after a cursor of another database, or of a time to come', async () => {
    const { ticket } = await gate.ticket(event);
    await organizer.client.post(`/tickets/${ticket.id}/void`);
    const { body } = await download();
    const [installation, changedIn, ticketId] = JSON.parse(
      Buffer.from(body.cursor as string, 'base64url').toString(),
    ) as [string, number, number];
    for (const cursor of [
      ['elsewhere', changedIn, ticketId],
      [installation, changedIn + 1_000_000, ticketId],
    ]) {
      const text = Buffer.from(JSON.stringify(cursor)).toString('base64url');
      expect((await download(`?cursor=${text}`)).body.void).toEqual([ticket.id]);
    }
    for (const cursor of ['x', 'WzFd', Buffer.from('["a","b","c"]').toString('base64url')])
      expectProblem(await download(`?cursor=${cursor}`), 422, 'validation_failed', { pointers: ['/cursor'] });
  });

  it('says that the event is cancelled', async () => {
    await organizer.client.post(`/events/${event.id}/cancel`);
    expect((await download()).body.event.status).toBe('cancelled');
  });

  it('is for devices of the event, and its organizer', async () => {
    expect((await organizer.client.get(`/events/${event.id}/gate`)).status).toBe(200);
    const other = await gate.event(organizer);
    expectProblem(await device.client.get(`/events/${other.id}/gate`), 404, 'event_not_found');
    expectProblem(await (await partyOf(api)).client.get(`/events/${event.id}/gate`), 403, 'forbidden');
  });

  it('of 50,000 tickets is less than 10 MB', async () => {
    const buyer = await partyOf(api);
    await api.sql(
      `WITH made AS (
        INSERT INTO orders (user_id, event_id, status, places, created_at, expires_at, paid_at, type_ids, numbers, quota_ids,
          quota_numbers)
        SELECT $1, $2, 'paid', 50, now(), now(), now(), ARRAY[$3::bigint], ARRAY[50], ARRAY[]::bigint[], ARRAY[]::int[]
        FROM generate_series(1, 1000)
        RETURNING id
      )
      INSERT INTO tickets (order_id, ticket_type_id, attendee_name, attendee_email)
      SELECT id, $3, 'Augusta Ada King, Countess of Lovelace ' || n, 'ada@example.com' FROM made, generate_series(1, 50) AS n`,
      [buyer.id, event.id, event.type],
    );
    await api.sql('ANALYZE orders, tickets');
    let [bytes, tickets, pages] = [0, 0, 0];
    for (
      let next: string | undefined = `/events/${event.id}/gate?attendees=true&limit=2000`;
      next !== undefined;
      pages++
    ) {
      const page: Answer = await device.client.get(next);
      bytes += JSON.stringify(page.body).length;
      tickets += (page.body.attendees as object[]).length;
      next = nextOf(page);
    }
    expect({ tickets, isSmall: bytes < 10_000_000, isPaged: pages < 30 }).toEqual({
      tickets: 50_000,
      isSmall: true,
      isPaged: true,
    });
    await api.sql('DELETE FROM orders WHERE event_id = $1', [event.id]);
  });

  async function openTransaction() {
    const { DataSource } = await import('typeorm');
    const runner = api.app.get(DataSource).createQueryRunner();
    await runner.query('BEGIN');
    return {
      query: async (text: string, values?: unknown[]) => {
        await runner.query(text, values);
        if (text === 'COMMIT') await runner.release();
      },
    };
  }
});

describe('GET /events/{event_id}/attendees', () => {
  let api: TestApi;
  let organizer: Party;
  let event: GateEvent;

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0' });
    organizer = await partyOf(api);
    event = await gate.event(organizer);
  });
  afterAll(() => api.stop());

  const gate = gateBy(() => api);
  const list = (query = '') => organizer.client.pages(`/events/${event.id}/attendees${query}`);

  it('has who comes, and who has come, and finds them', async () => {
    const device = await gate.device(organizer, event);
    const { ticket, buyer } = await gate.ticket(event);
    const [left, gone, ...others] = await gate.tickets(event, 5);
    await buyer.client.send('PATCH', `/tickets/${ticket.id}`, {
      body: JSON.stringify({ attendee: { name: 'Grace Hopper', email: 'grace@example.com' } }),
      headers: { 'Content-Type': 'application/json' },
    });
    await organizer.client.post(`/tickets/${gone?.id}/void`);
    const scan = (id: number | undefined, kind: string) =>
      device.client.post(`/events/${event.id}/check-ins`, { ticket_id: id, nonce: `${id}-${kind}`, kind });
    await scan(ticket.id, 'entry');
    await scan(left?.id, 'entry');
    await scan(left?.id, 'exit');
    const all = (await list('?limit=2')).flat();
    const ids = (rows: { ticket_id: number }[]) => rows.map(({ ticket_id }) => ticket_id);
    expect(ids(all)).toEqual([ticket, left, ...others].map((each) => each?.id));
    expect(all[0]).toEqual({
      ticket_id: ticket.id,
      ticket_type_id: event.type,
      ticket_type: 'Stalls',
      order_code: ticket.order_code,
      status: 'paid',
      attendee: { name: 'Grace Hopper', email: 'grace@example.com' },
      buyer: { name: 'Ada Lovelace', email: expect.stringContaining('@') },
      checked_in: true,
      is_inside: true,
      checked_in_at: expect.any(String),
    });
    expect(all[1]).toMatchObject({ attendee: null, checked_in: true, is_inside: false });
    expect(all[2]).toMatchObject({ checked_in: false, is_inside: false, checked_in_at: null });
    expect(ids((await list('?checked_in=true')).flat())).toEqual([ticket.id, left?.id]);
    expect(ids((await list('?checked_in=false&limit=1')).flat())).toEqual(others.map(({ id }) => id));
    expect(ids((await list('?q=HOPPER')).flat())).toEqual([ticket.id]);
    expect(ids((await list(`?q=${ticket.order_code}`)).flat())).toEqual([ticket.id]);
    expect((await list('?q=nobody')).flat()).toEqual([]);
  });

  it('is for the organizer', async () => {
    expectProblem(await (await partyOf(api)).client.get(`/events/${event.id}/attendees`), 403, 'forbidden');
  });
});

describe('devices', () => {
  let api: TestApi;
  let organizer: Party;
  let event: GateEvent;

  beforeAll(async () => {
    api = await startTestApi({ RATE_LIMIT_PER_MINUTE: '20' });
    const admin = api.client;
    organizer = { id: 0, client: admin };
    event = await gate.event(organizer);
  });
  afterAll(() => api.stop());

  const gate = gateBy(() => api);

  it('are shown without their tokens, which are kept as hashes, and not told again', async () => {
    const key = { 'Idempotency-Key': 'devices' };
    const create = () => api.client.post(`/events/${event.id}/devices`, { name: 'North' }, key);
    const { status, headers, body } = await create();
    expect({ status, location: headers.get('location') }).toEqual({
      status: 201,
      location: `/devices/${body.id}`,
    });
    expect(body.token).toMatch(new RegExp(`^gate_${event.id}_[\\w-]{32}$`));
    const again = await create();
    expect(again.body).toEqual({ ...body, token: undefined });
    const listed = (await api.client.get(`/events/${event.id}/devices`)).body as object[];
    expect(listed).toEqual([{ ...body, token: undefined }]);
    const secret = String(body.token).split('_')[2] ?? '';
    const rows = await api.sql('SELECT devices::text AS text FROM devices');
    expect(JSON.stringify(rows)).not.toContain(secret);
  });

  it('are limited by themselves, and guesses by their address', async () => {
    const one = await gate.device(organizer, event);
    const other = await gate.device(organizer, event);
    const ask = async (client = one.client) => (await client.get(`/events/${event.id}/gate`)).status;
    const statuses = [];
    for (let i = 0; i < 21; i++) statuses.push(await ask());
    expect(statuses).toEqual([...Array<number>(20).fill(200), 429]);
    expect(await ask(other.client)).toBe(200);
    const guesses = [];
    for (let i = 0; i < 21; i++) {
      const guess = `gate_${event.id}_${String(i).padStart(32, '0')}`;
      guesses.push(await ask(api.client.as(guess)));
    }
    expect(new Set(guesses.slice(0, 18))).toEqual(new Set([401]));
    expect(guesses.at(-1)).toBe(429);
    expect(await ask(other.client)).toBe(200);
  });

  it('are at most 500 of an event', async () => {
    await api.sql(
      `INSERT INTO devices (event_id, name, token_hash)
      SELECT $1, 'Phone', sha256(convert_to('phone' || n, 'UTF8')) FROM generate_series(1, 500) AS n`,
      [event.id],
    );
    const answer = await api.client.post(`/events/${event.id}/devices`, { name: 'One more' });
    expectProblem(answer, 409, 'too_many_devices');
  });
});
