import { setTimeout as sleep } from 'node:timers/promises';
import { startTestApi, type TestApi } from '../support/api';
import { UNKNOWN } from '../support/bookings';
import { eventually } from '../support/eventually';
import {
  gateBy,
  scanAt,
  scanOf,
  sendLate,
  type GateEvent,
  type PaidTicket,
  type TestDevice,
} from '../support/gate';
import type { Party } from '../support/orders';
import { expectProblem } from '../support/problems';

describe('POST /events/{event_id}/check-ins/batch', () => {
  let api: TestApi;
  let organizer: Party;
  let event: GateEvent;
  let north: TestDevice;
  let south: TestDevice;

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0' });
    ({ organizer, event, north, south } = await gate.open());
  });
  afterAll(() => api.stop());

  const gate = gateBy(() => api);
  const resultsOf = (body: { check_ins: { result: string }[] }) => body.check_ins.map(({ result }) => result);
  const conflicts = async () =>
    (await organizer.client.get(`/events/${event.id}/check-ins?conflict=true`)).body as Record<
      string,
      unknown
    >[];

  it('takes what was scanned without a network, in its order', async () => {
    const [one, two] = (await gate.tickets(event, 2)) as [PaidTicket, PaidTicket];
    const at = (minute: number) => ({ scanned_at: `2020-06-01T19:0${minute}:00.000Z` });
    const { status, body } = await sendLate(north.client, event, [
      scanOf(one, at(0)),
      scanOf(two, at(1)),
      scanOf(one, { ...at(2), kind: 'exit' }),
      scanOf(one, at(3)),
      scanOf(one, at(4)),
      scanOf({ token: 'nonsense' }, at(5)),
    ]);
    expect({ status, results: resultsOf(body) }).toEqual({
      status: 200,
      results: ['admitted', 'admitted', 'left', 'admitted', 'already_in', 'not_valid'],
    });
    expect(body.check_ins[4].earlier).toEqual({
      scanned_at: at(3).scanned_at,
      device: { id: north.id, name: 'North' },
    });
    expect((await scanAt(south.client, event, one)).body.earlier.scanned_at).toBe(at(3).scanned_at);
  });

  it('keeps a contradiction with both devices and both times, for the organizer to see', async () => {
    const { ticket } = await gate.ticket(event);
    await scanAt(north.client, event, ticket, { scanned_at: '2020-06-01T20:00:00.000Z' });
    const late = scanOf(ticket, { scanned_at: '2020-06-01T19:58:00.000Z' });
    const earlier = { scanned_at: '2020-06-01T20:00:00.000Z', device: { id: north.id, name: 'North' } };
    const sent = await sendLate(south.client, event, [late]);
    expect(sent.body.check_ins).toEqual([
      { result: 'conflict', ticket: expect.objectContaining({ id: ticket.id }), earlier },
    ]);
    // Sent again, because the answer was lost.
    expect((await sendLate(south.client, event, [late])).body).toEqual(sent.body);
    const kept = await conflicts();
    expect(kept).toHaveLength(1);
    expect(kept[0]).toMatchObject({
      result: 'conflict',
      ticket: { id: ticket.id },
      device: { id: south.id, name: 'South' },
      scanned_at: '2020-06-01T19:58:00.000Z',
      earlier,
    });
    const all = (await organizer.client.pages(`/events/${event.id}/check-ins?limit=2`)).flat();
    expect(all.map(({ id }) => id as number)).toEqual(
      [...all].map(({ id }) => id as number).sort((a, b) => b - a),
    );
    expect(all).toContainEqual(kept[0]);
  });

  describe('judges by the time of the scan, whenever it arrives:', () => {
    /** Ago: a scan of now is later. */
    const ago = (minutes: number) => ({ scanned_at: new Date(Date.now() - minutes * 60_000).toISOString() });
    /** An instant between two changes: scans have milliseconds, the database's clock has microseconds. */
    const between = async () => {
      await sleep(5);
      const at = ago(0);
      await sleep(5);
      return at;
    };
    const late = async (device: TestDevice, ticket: PaidTicket, fields: object, at = event) =>
      (await sendLate(device.client, at, [scanOf(ticket, fields)])).body.check_ins[0];
    const now = async (ticket: PaidTicket, kind = 'entry') =>
      (await scanAt(north.client, event, ticket, { kind })).body.result as string;
    const exit = { kind: 'exit' };

    it('a copy that came in before an exit that is known', async () => {
      const { ticket } = await gate.ticket(event);
      expect((await late(north, ticket, ago(30))).result).toBe('admitted');
      expect((await late(north, ticket, { ...ago(10), ...exit })).result).toBe('left');
      const copy = await late(south, ticket, ago(20));
      expect(copy).toMatchObject({ result: 'conflict', earlier: { device: { name: 'North' } } });
      expect(await conflicts()).toContainEqual(
        expect.objectContaining({ ticket: copy.ticket, earlier: copy.earlier }),
      );
      expect(await now(ticket)).toBe('admitted');
    });

    it('an exit from before the last entry, which lets no copy in', async () => {
      const { ticket } = await gate.ticket(event);
      expect(await now(ticket)).toBe('admitted');
      expect((await late(south, ticket, { ...ago(10), ...exit })).result).toBe('left');
      expect(await now(ticket)).toBe('already_in');
      expect(await now(ticket, 'exit')).toBe('left');
    });

    it.each(['before', 'late'])('an entry whose exit was heard of %s', async (when) => {
      const { ticket } = await gate.ticket(event);
      if (when === 'before') expect(await now(ticket, 'exit')).toBe('left');
      else expect((await late(north, ticket, { ...ago(10), ...exit })).result).toBe('left');
      expect((await late(south, ticket, ago(20))).result).toBe('admitted');
      const { body } = await organizer.client.get(`/events/${event.id}/attendees?limit=200`);
      const attendees = body as { ticket_id: number; is_inside: boolean; checked_in_at: string }[];
      expect(attendees.find(({ ticket_id }) => ticket_id === ticket.id)).toMatchObject({
        is_inside: false,
        checked_in_at: expect.any(String),
      });
      expect(await now(ticket)).toBe('admitted');
    });

    it('two entries, which contradict each other only until the exit between is heard of', async () => {
      const { ticket } = await gate.ticket(event);
      const ofTicket = async () =>
        (await conflicts()).filter((conflict) => (conflict.ticket as { id: number }).id === ticket.id);
      await late(north, ticket, ago(30));
      const second = scanOf(ticket, ago(10));
      const first = (await sendLate(south.client, event, [second])).body;
      expect(first.check_ins[0].result).toBe('conflict');
      expect(await ofTicket()).toHaveLength(1);
      await late(north, ticket, { ...ago(20), ...exit });
      expect(await ofTicket()).toEqual([]);
      expect((await sendLate(south.client, event, [second])).body).toEqual(first);
      expect(await now(ticket)).toBe('already_in');
      // One between the exit and the entry contradicts that entry, and that entry this one.
      await late(north, ticket, ago(15));
      expect(await ofTicket()).toMatchObject([
        { device: { name: 'North' }, earlier: { device: { name: 'South' } } },
        { device: { name: 'South' }, earlier: { device: { name: 'North' } } },
      ]);
    });

    it.each([
      ['void', 'void'],
      ['refunded', 'void'],
      ['blocked', 'blocked'],
    ])('a ticket by what it was then, though it is %s now, or was', async (fate, result) => {
      const { ticket } = await gate.ticket(event);
      const before = await between();
      await api.sql('UPDATE tickets SET fate = $2 WHERE id = $1', [ticket.id, fate]);
      const meanwhile = await between();
      expect((await late(north, ticket, meanwhile)).result).toBe(result);
      expect((await late(north, ticket, before)).result).toBe('admitted');
      await api.sql('UPDATE tickets SET fate = NULL WHERE id = $1', [ticket.id]);
      expect((await late(north, ticket, meanwhile)).result).toBe(result);
    });

    it('the code of before a ticket was handed on, and no copy of it after', async () => {
      const { ticket, buyer } = await gate.ticket(event);
      const before = await between();
      const { body: anew } = await buyer.client.send('PATCH', `/tickets/${ticket.id}`, {
        body: JSON.stringify({ attendee: { name: 'Grace' } }),
        headers: { 'Content-Type': 'application/json' },
      });
      expect(await now(anew as PaidTicket)).toBe('admitted');
      expect((await late(south, ticket, await between())).result).toBe('void');
      expect((await late(south, ticket, before)).result).toBe('conflict');
      // The clock of the device is slow.
      expect((await late(north, anew as PaidTicket, ago(5))).result).toBe('conflict');
    });

    it('who came in before the event was cancelled', async () => {
      const off = await gate.event(organizer);
      const device = await gate.device(organizer, off);
      const [one, two] = (await gate.tickets(off, 2)) as [PaidTicket, PaidTicket];
      const before = await between();
      await organizer.client.post(`/events/${off.id}/cancel`);
      await eventually(async () => {
        const [order] = await api.sql<{ status: string }>('SELECT status FROM orders WHERE event_id = $1', [
          off.id,
        ]);
        expect(order?.status).toBe('cancelled');
      });
      expect((await late(device, one, before, off)).result).toBe('admitted');
      expect((await late(device, two, await between(), off)).result).toBe('void');
    });
  });

  it('refuses none, whatever is in it', async () => {
    const { ticket } = await gate.ticket(event);
    const scans = [
      null,
      7,
      [],
      {},
      scanOf(ticket, { nonce: 'ä' }),
      scanOf(ticket, { kind: 'in' }),
      scanOf(ticket, { scanned_at: 'yesterday' }),
      scanOf(ticket, { ticket_id: ticket.id }),
      scanOf(ticket, { more: true }),
      scanOf({ ticket_id: UNKNOWN }),
      scanOf({ ticket_id: 1.5 }),
      scanOf({ token: 'x'.repeat(1_001) }),
      scanOf(ticket),
    ];
    const { status, body } = await sendLate(north.client, event, scans);
    expect(status).toBe(200);
    expect(resultsOf(body)).toEqual([...scans.slice(1).map(() => 'not_valid'), 'admitted']);
    expect((await sendLate(north.client, event, [])).body).toEqual({ check_ins: [] });
  });

  it('refuses nesting without an end, also under a key', async () => {
    const body = `{"check_ins":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': 'deep' };
    const answer = await north.client.send('POST', `/events/${event.id}/check-ins/batch`, { body, headers });
    expectProblem(answer, 422, 'validation_failed', { pointers: [''] });
  });

  it('takes 500 of them at once, and no more', async () => {
    const tickets = (await Promise.all([1, 2, 3, 4, 5].map(() => gate.tickets(event, 100)))).flat();
    const scans = tickets.map((ticket) => scanOf(ticket, { scanned_at: '2020-06-01T19:00:00.000Z' }));
    const { status, body } = await sendLate(north.client, event, scans);
    expect(status).toBe(200);
    expect(new Set(resultsOf(body))).toEqual(new Set(['admitted']));
    expect((body.check_ins as { ticket: { id: number } }[]).map(({ ticket }) => ticket.id)).toEqual(
      tickets.map(({ id }) => id),
    );
    const again = await sendLate(
      south.client,
      event,
      tickets.map((ticket) => scanOf(ticket)),
    );
    expect(new Set(resultsOf(again.body))).toEqual(new Set(['conflict']));
    const tooMany = await sendLate(north.client, event, [...scans, scans[0]]);
    expectProblem(tooMany, 422, 'validation_failed', { pointers: ['/check_ins'] });
  });

  it('takes one ticket that goes in and out 500 times in one statement each', async () => {
    const { ticket } = await gate.ticket(event);
    const scans = Array.from({ length: 500 }, (_, i) =>
      scanOf(ticket, { kind: i % 2 === 0 ? 'entry' : 'exit' }),
    );
    const { body } = await sendLate(north.client, event, scans);
    expect(resultsOf(body)).toEqual(scans.map(({ kind }) => (kind === 'entry' ? 'admitted' : 'left')));
  });

  it.each([
    [undefined, ['']],
    [[], ['']],
    [{}, ['/check_ins']],
    [{ check_ins: {} }, ['/check_ins']],
    [{ check_ins: [], more: 1 }, ['/more']],
    [{ check_ins: JSON.parse('['.repeat(9) + ']'.repeat(9)) as unknown }, ['']],
  ])('does not take %j', async (body, pointers) => {
    const answer = await north.client.post(`/events/${event.id}/check-ins/batch`, body);
    expectProblem(answer, 422, 'validation_failed', { pointers });
  });
});
