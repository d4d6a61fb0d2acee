import { randomUUID } from 'node:crypto';
import { startTestApi, type TestApi } from '../support/api';
import { UNKNOWN } from '../support/bookings';
import { gateBy, scanAt, scanOf, type GateEvent, type TestDevice } from '../support/gate';
import { partyOf, type Party } from '../support/orders';
import { expectProblem } from '../support/problems';

describe('POST /events/{event_id}/check-ins', () => {
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
  const name = (buyer: Party, id: number, attendee: object) =>
    buyer.client.send('PATCH', `/tickets/${id}`, {
      body: JSON.stringify({ attendee }),
      headers: { 'Content-Type': 'application/json' },
    });

  it('lets a ticket in once, and says who let it in', async () => {
    const { ticket } = await gate.ticket(event);
    const shown = { id: ticket.id, ticket_type: 'Stalls', attendee: null };
    const first = await scanAt(north.client, event, ticket);
    expect(first).toMatchObject({ status: 200, body: { result: 'admitted' } });
    expect(first.body).toEqual({ result: 'admitted', ticket: shown });
    const earlier = { scanned_at: expect.any(String), device: { id: north.id, name: 'North' } };
    for (const client of [north.client, south.client, organizer.client, api.client]) {
      const again = await scanAt(client, event, ticket);
      expect(again.body).toEqual({ result: 'already_in', ticket: shown, earlier });
    }
  });

  it('shows the name of whom the ticket is for, and no e-mail', async () => {
    const { ticket, buyer } = await gate.ticket(event);
    const handedOn = await name(buyer, ticket.id, { name: 'Grace Hopper', email: 'grace@example.com' });
    const { body } = await scanAt(north.client, event, handedOn.body as { token: string });
    expect(body).toMatchObject({ result: 'admitted', ticket: { attendee: { name: 'Grace Hopper' } } });
    expect(JSON.stringify(body)).not.toContain('@');
  });

  it('takes the ticket itself, where somebody was found by name', async () => {
    const { ticket } = await gate.ticket(event);
    const { body } = await scanAt(organizer.client, event, { ticket_id: ticket.id });
    expect(body).toMatchObject({ result: 'admitted', ticket: { id: ticket.id } });
    const again = await scanAt(north.client, event, ticket);
    expect(again.body).toMatchObject({ result: 'already_in', earlier: { device: null } });
  });

  it('lets out, and once more in', async () => {
    const { ticket } = await gate.ticket(event);
    const results = [];
    for (const kind of ['exit', 'entry', 'entry', 'exit', 'exit', 'entry', 'entry'])
      results.push(
        (await scanAt(kind === 'exit' ? north.client : south.client, event, ticket, { kind })).body.result,
      );
    expect(results).toEqual(['left', 'admitted', 'already_in', 'left', 'left', 'admitted', 'already_in']);
  });

  it('gives the same nonce the same answer, and another device one of its own', async () => {
    const { ticket } = await gate.ticket(event);
    const nonce = randomUUID();
    const answers = await Promise.all([1, 2, 3].map(() => scanAt(north.client, event, ticket, { nonce })));
    answers.push(await scanAt(north.client, event, ticket, { nonce }));
    for (const { body } of answers) expect(body).toEqual(answers[0]?.body);
    expect(answers[0]?.body.result).toBe('admitted');
    const later = await scanAt(north.client, event, ticket);
    expect((await scanAt(south.client, event, ticket, { nonce })).body).toEqual(later.body);
    expect((await scanAt(organizer.client, event, ticket, { nonce })).body.result).toBe('already_in');
    const garbage = { nonce: randomUUID() };
    expect((await scanAt(north.client, event, { token: 'a.b.c' }, garbage)).body).toEqual({
      result: 'not_valid',
    });
    expect((await scanAt(north.client, event, ticket, garbage)).body).toEqual({ result: 'not_valid' });
  });

  it('keeps the time of the device, but none to come', async () => {
    const { ticket } = await gate.ticket(event);
    await scanAt(north.client, event, ticket, { scanned_at: '2020-01-01T00:00:00.000Z' });
    const { body } = await scanAt(south.client, event, ticket);
    expect(body.earlier.scanned_at).toBe('2020-01-01T00:00:00.000Z');
    const { ticket: another } = await gate.ticket(event);
    await scanAt(north.client, event, another, { scanned_at: '2090-01-01T00:00:00.000Z' });
    const { earlier } = (await scanAt(south.client, event, another)).body;
    expect(Date.parse(earlier.scanned_at as string)).toBeLessThan(Date.parse('2090-01-01'));
  });

  describe('refuses', () => {
    it('what is no ticket of ours', async () => {
      const { ticket } = await gate.ticket(event);
      for (const token of ['?', 'https://example.com/', `${ticket.token}A`, ticket.token.slice(1)])
        expect((await scanAt(north.client, event, { token })).body).toEqual({ result: 'not_valid' });
      expect((await scanAt(north.client, event, { ticket_id: UNKNOWN })).body).toEqual({
        result: 'not_valid',
      });
    });

    it('a ticket of another event', async () => {
      const other = await gate.event(organizer);
      const { ticket } = await gate.ticket(other);
      expect((await scanAt(north.client, event, ticket)).body).toEqual({ result: 'wrong_event' });
      expect((await scanAt(north.client, event, { ticket_id: ticket.id })).body).toEqual({
        result: 'wrong_event',
      });
    });

    it("a ticket of another organizer's event, and does not tell an id that it is one", async () => {
      const other = await gate.event(await partyOf(api));
      const { ticket } = await gate.ticket(other);
      for (const client of [north.client, organizer.client])
        for (const kind of ['entry', 'exit']) {
          const byId = await scanAt(client, event, { ticket_id: ticket.id }, { kind });
          expect(byId.body).toEqual((await scanAt(client, event, { ticket_id: UNKNOWN }, { kind })).body);
          expect(byId.body).toEqual({ result: 'not_valid' });
          // A guest who shows its code has it.
          expect((await scanAt(client, event, ticket, { kind })).body).toEqual({ result: 'wrong_event' });
        }
    });

    it('one that was handed on, but for its new code', async () => {
      const { ticket, buyer } = await gate.ticket(event);
      const handedOn = await name(buyer, ticket.id, { name: 'Charles' });
      expect((await scanAt(north.client, event, ticket)).body.result).toBe('void');
      expect((await scanAt(north.client, event, handedOn.body as { token: string })).body.result).toBe(
        'admitted',
      );
      expect((await scanAt(north.client, event, ticket)).body.result).toBe('void');
    });

    it.each([
      ['void', 'void'],
      ['refunded', 'void'],
      ['blocked', 'blocked'],
    ])('one that is %s, and says %s', async (fate, result) => {
      const { ticket } = await gate.ticket(event);
      await api.sql('UPDATE tickets SET fate = $2 WHERE id = $1', [ticket.id, fate]);
      expect((await scanAt(north.client, event, ticket)).body).toMatchObject({
        result,
        ticket: { id: ticket.id },
      });
      expect((await scanAt(north.client, event, ticket, { kind: 'exit' })).body.result).toBe(result);
      await api.sql('UPDATE tickets SET fate = NULL WHERE id = $1', [ticket.id]);
      expect((await scanAt(north.client, event, ticket)).body.result).toBe('admitted');
      await api.sql('UPDATE tickets SET fate = $2 WHERE id = $1', [ticket.id, fate]);
      // It is inside, and may go.
      expect((await scanAt(north.client, event, ticket, { kind: 'exit' })).body.result).toBe('left');
      expect((await scanAt(north.client, event, ticket)).body.result).toBe(result);
    });

    it('one that is not paid', async () => {
      const buyer = await partyOf(api);
      const { body: held } = await buyer.client.post('/tickets/', { event_id: event.id });
      expect((await scanAt(north.client, event, { ticket_id: held.id })).body.result).toBe('not_paid');
      await buyer.client.post(`/tickets/${held.id}/cancel`);
      expect((await scanAt(north.client, event, { ticket_id: held.id })).body.result).toBe('not_paid');
    });

    it('all tickets of an event that is cancelled, at once', async () => {
      const off = await gate.event(organizer);
      const { ticket } = await gate.ticket(off);
      const device = await gate.device(organizer, off);
      await organizer.client.post(`/events/${off.id}/cancel`);
      expect((await scanAt(device.client, off, ticket)).body.result).toBe('void');
    });
  });

  it('is for devices of the event, its organizer and admins', async () => {
    const { ticket } = await gate.ticket(event);
    const other = await gate.event(organizer);
    expectProblem(await scanAt(north.client, other, ticket), 404, 'event_not_found');
    expectProblem(await scanAt((await partyOf(api)).client, event, ticket), 403, 'forbidden');
    expectProblem(await scanAt(api.client.as(''), event, ticket), 401, 'unauthenticated');
    expectProblem(await scanAt(api.client, { id: UNKNOWN }, ticket), 404, 'event_not_found');
  });

  it('is closed to a device from the moment it is revoked', async () => {
    const { ticket } = await gate.ticket(event);
    const lost = await gate.device(organizer, event);
    const nonce = randomUUID();
    expect((await scanAt(lost.client, event, ticket, { nonce })).body.result).toBe('admitted');
    expect((await organizer.client.send('DELETE', `/devices/${lost.id}`)).status).toBe(204);
    expectProblem(await scanAt(lost.client, event, ticket, { nonce }), 401, 'unauthenticated');
    expectProblem(await lost.client.get(`/events/${event.id}/gate`), 401, 'unauthenticated');
    const { body } = await scanAt(north.client, event, ticket);
    expect(body.earlier.device).toEqual({ id: lost.id, name: lost.name });
  });

  it.each([
    [{ token: undefined }, ['/token']],
    [{ token: 7 }, ['/token']],
    [{ token: '' }, ['/token']],
    [{ token: 'x'.repeat(1_001) }, ['/token']],
    [{ ticket_id: 1 }, ['/token']],
    [{ token: undefined, ticket_id: '1' }, ['/ticket_id']],
    [{ nonce: undefined }, ['/nonce']],
    [{ nonce: 'ä' }, ['/nonce']],
    [{ nonce: 'x'.repeat(65) }, ['/nonce']],
    [{ kind: 'in' }, ['/kind']],
    [{ scanned_at: 'now' }, ['/scanned_at']],
    [{ gate: 1 }, ['/gate']],
  ])('does not take %j', async (fields, pointers) => {
    const answer = await north.client.post(`/events/${event.id}/check-ins`, {
      ...scanOf({ token: 'x' }),
      ...fields,
    });
    expectProblem(answer, 422, 'validation_failed', { pointers });
  });

  it('takes an Idempotency-Key, from devices, too', async () => {
    const { ticket } = await gate.ticket(event);
    const body = scanOf(ticket);
    const send = (client = north.client) =>
      client.post(`/events/${event.id}/check-ins`, body, { 'Idempotency-Key': body.nonce });
    const first = await send();
    const again = await send();
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect((await send(south.client)).body.result).toBe('already_in');
  });
});
