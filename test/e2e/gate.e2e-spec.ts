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
    // Any answer there is (RFC 9110, section 13.1.2).
    expect((await download('?attendees=true', { 'If-None-Match': '*' })).status).toBe(304);
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
    // Of changes that were made beside an open transaction it tells again.
    const { body } = await download(`?cursor=${cursor}`);
    expect(gone).toEqual(expect.arrayContaining(body.void as number[]));
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
