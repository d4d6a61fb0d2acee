import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { text as readAll } from 'node:stream/consumers';
import Papa from 'papaparse';
import { startTestApi, type TestApi } from '../support/api';
import { gateBy, type PaidTicket } from '../support/gate';
import { partyOf, type Party } from '../support/orders';
import { expectProblem } from '../support/problems';
import { tokenOf } from '../support/tokens';

const CSV = { Accept: 'text/csv' };
/** Some 400 bytes each: more than what the system takes in for a client that does not read. */
const MANY = 40_000;
/** Where each statement is told of (src/telemetry/channels.ts). */
const STATEMENTS = 'tracing:tixxety:statement:start';
const PAGES = MANY / 500;

/** As a parser of another author reads it. */
function rowsOf(csv: string): Record<string, string>[] {
  const { data, errors } = Papa.parse<Record<string, string>>(csv, { header: true, skipEmptyLines: true });
  expect(errors).toEqual([]);
  return data;
}

describe('lists as CSV', () => {
  let api: TestApi;
  let organizer: Party;
  let buyer: Party;
  let event: { id: number; type: number };

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0' });
    [organizer, buyer] = [await partyOf(api), await partyOf(api)];
    event = await gate.event(organizer);
  });
  afterAll(() => api.stop());

  const gate = gateBy(() => api);
  const place = async (fields: object, quantity = 1) => {
    const items = [{ ticket_type_id: event.type, quantity }];
    return (await buyer.client.post('/orders', { event_id: event.id, items, ...fields })).body;
  };
  const orders = (query = '', headers: Record<string, string> = CSV) =>
    organizer.client.get<string>(`/events/${event.id}/orders${query}`, headers);

  it('have every order, under the names of the JSON', async () => {
    const contact = { name: 'Ada "the Countess" Lovelace, née Byron; 🎩', email: 'ada@example.com' };
    const [first, second] = [await place({ contact }, 2), await place({})];
    await buyer.client.post(`/orders/${second.code}/payments`, {});
    const { status, headers, body } = await orders('?limit=1');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8; header=present']);
    expect(headers.get('content-disposition')).toBe(`attachment; filename="orders-${event.id}.csv"`);
    expect(headers.get('vary')).toContain('Accept');
    const rows = rowsOf(body);
    expect(rows.map(({ code }) => code)).toEqual([second.code, first.code]);
    expect(rows[0]).toMatchObject({ status: 'paid', contact_name: '', total: '0', tickets: '1' });
    expect(rows[1]).toMatchObject({
      status: 'held',
      contact_name: contact.name,
      contact_email: contact.email,
      tickets: '2',
      created_at: first.created_at,
      paid_at: '',
    });
    const lines = body.split('\r\n');
    expect(lines).toHaveLength(4); // the last is empty
    expect(body.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  });

  it('have those that the filter lets pass', async () => {
    const found = rowsOf((await orders('?status=paid')).body);
    expect(found.map(({ status }) => status)).toEqual(['paid']);
    expect(rowsOf((await orders('?q=countess')).body)).toHaveLength(1);
    expect(rowsOf((await orders(`?q=${found[0]?.code}`)).body)).toEqual(found);
    expect((await orders('?q=nobody')).body).toMatch(/^code,status,[^\r\n]+\r\n$/);
  });

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '＝1+1', 'a;=1+1'])('have no formula: %s', async (name) => {
    await place({ contact: { name, email: 'ada@example.com' } });
    const [, row = ''] = (await orders()).body.split('\r\n');
    expect(row).toContain(name.startsWith('a') ? `"${name}"` : `,'${name},`);
    expect(rowsOf((await orders()).body)[0]?.contact_name).toBe(name.startsWith('a') ? name : `'${name}`);
  });

  it('have a byte order mark only when asked', async () => {
    const bytes = async (query: string) => {
      const headers = { ...CSV, Authorization: `Bearer ${tokenOf(organizer.id)}` };
      const answer = await fetch(`${api.client.url}/events/${event.id}/orders${query}`, { headers });
      return Buffer.from(await answer.arrayBuffer())
        .subarray(0, 4)
        .toString('hex');
    };
    expect(await bytes('')).toBe(Buffer.from('code').toString('hex'));
    expect(await bytes('?bom=true')).toBe(`efbbbf${Buffer.from('c').toString('hex')}`);
    expectProblem(await orders('?bom=1'), 422, 'validation_failed');
  });

  it('are JSON for whoever does not ask for CSV', async () => {
    for (const Accept of ['*/*', 'application/json', 'text/html, */*', 'application/json, text/csv;q=0.5']) {
      expect((await orders('', { Accept })).headers.get('content-type')).toContain('application/json');
    }
    const both = await orders('', { Accept: 'text/csv, application/json;q=0.5' });
    expect(both.headers.get('content-type')).toContain('text/csv');
  });

  it('have every payment', async () => {
    const order = await place({});
    const body = { offline: true, reference: '=HYPERLINK("https://example.com")' };
    await organizer.client.post(`/orders/${order.code}/payments`, body);
    const path = `/events/${event.id}/payments`;
    const csv = rowsOf((await organizer.client.get<string>(path, CSV)).body);
    const json = (await organizer.client.get(path)).body as object[];
    expect(csv).toHaveLength(json.length);
    expect(csv[0]).toMatchObject({
      order_code: order.code,
      provider: 'offline',
      reference: `'${body.reference}`,
    });
  });

  it('have every attendee', async () => {
    const own = await gate.event(organizer);
    const [ticket] = (await gate.tickets(own, 3, buyer)) as [PaidTicket];
    const body = JSON.stringify({ attendee: { name: '+Ada', email: 'ada@example.com' } });
    await buyer.client.send('PATCH', `/tickets/${ticket.id}`, {
      body,
      headers: { 'Content-Type': 'application/json' },
    });
    const path = `/events/${own.id}/attendees`;
    const csv = rowsOf((await organizer.client.get<string>(path, CSV)).body);
    const json = (await organizer.client.get(path)).body as { ticket_id: number; order_code: string }[];
    expect(csv.map((row) => [Number(row.ticket_id), row.order_code])).toEqual(
      json.map((row) => [row.ticket_id, row.order_code]),
    );
    expect(csv[0]).toMatchObject({
      attendee_name: "'+Ada",
      attendee_email: 'ada@example.com',
      checked_in: 'false',
      checked_in_at: '',
    });
    expect(rowsOf((await organizer.client.get<string>(`${path}?q=ada`, CSV)).body).length).toBeGreaterThan(0);
  });

  it.each(['orders', 'payments', 'attendees'])('of %s are for the organizer', async (list) => {
    const path = `/events/${event.id}/${list}`;
    expectProblem(await buyer.client.get(path, CSV), 403, 'forbidden');
    expectProblem(await api.client.as('').get(path, CSV), 401, 'unauthenticated');
    expectProblem(await organizer.client.get(`/events/999999/${list}`, CSV), 404, 'event_not_found');
    const head = await organizer.client.send('HEAD', path, { headers: CSV });
    expect([head.status, head.headers.get('content-type')]).toEqual([
      200,
      'text/csv; charset=utf-8; header=present',
    ]);
  });

  describe('of many rows', () => {
    let read = 0;
    const count = (message: unknown) => {
      if ((message as { text: string }).text.includes('amount_refunded AS "amountRefunded", currency'))
        read++;
    };

    beforeAll(async () => {
      await api.sql(
        `INSERT INTO orders (user_id, event_id, status, created_at, expires_at, total, discount, places, type_ids, numbers,
          quota_ids, quota_numbers, contact_name, contact_email)
        SELECT $1, $2, 'expired', now() - interval '1 day', now() - interval '1 day', 0, 0, 1, ARRAY[$3::bigint], ARRAY[1],
          '{}', '{}', repeat('x', 100), repeat('y', 200) || '@example.com'
        FROM generate_series(1, $4::int)`,
        [buyer.id, event.id, event.type, MANY],
      );
      subscribe(STATEMENTS, count);
    }, 60_000);
    afterAll(() => unsubscribe(STATEMENTS, count));
    beforeEach(() => (read = 0));

    const begin = async (): Promise<IncomingMessage> => {
      const headers = { ...CSV, Authorization: `Bearer ${tokenOf(organizer.id)}` };
      return await new Promise((resolve, reject) => {
        httpGet(`${api.client.url}/events/${event.id}/orders`, { headers }, resolve).on('error', reject);
      });
    };

    it('have them all', async () => {
      const [{ count: all }] = (await api.sql('SELECT count(*)::int FROM orders WHERE event_id = $1', [
        event.id,
      ])) as [{ count: number }];
      const rows = rowsOf((await orders()).body);
      expect(new Set(rows.map(({ code }) => code)).size).toBe(all);
      expect(rows).toHaveLength(all);
    }, 60_000);

    it('begin before all is read, and are read no faster than the client reads', async () => {
      const answer = await begin();
      answer.once('readable', () => undefined);
      let before = -1;
      while (read !== before) {
        before = read;
        await sleep(800);
      }
      expect(before).toBeGreaterThan(0);
      expect(read).toBeLessThan(PAGES - 5);
      expect((await readAll(answer)).split('\r\n').length).toBeGreaterThan(MANY);
    }, 60_000);

    it('are not read on for a client that has gone', async () => {
      const answer = await begin();
      answer.destroy();
      let before = -1;
      while (read !== before) {
        before = read;
        await sleep(400);
      }
      expect(read).toBeLessThan(PAGES - 5);
    });

    it('do not look whole where they break off', async () => {
      const answer = await begin();
      await sleep(200);
      await api.sql('ALTER TABLE orders RENAME COLUMN discount TO rebate');
      await expect(readAll(answer)).rejects.toThrow('aborted');
      await api.sql('ALTER TABLE orders RENAME COLUMN rebate TO discount');
    }, 60_000);
  });
});
