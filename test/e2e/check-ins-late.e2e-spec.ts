import { startTestApi, type TestApi } from '../support/api';
import { UNKNOWN } from '../support/bookings';
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
