import { startTestApi, type TestApi } from '../support/api';
import { eventually } from '../support/eventually';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy';
import { gateBy, type GateEvent, type PaidTicket } from '../support/gate';
import { partyOf, type Party } from '../support/orders';
import { ReferenceDevice } from '../support/reference-device';

describe('a gate whose network comes and goes', () => {
  let api: TestApi;
  let organizer: Party;
  let event: GateEvent;
  let proxy: FaultProxy;
  let devices: [ReferenceDevice, ReferenceDevice];

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0' });
    organizer = await partyOf(api);
    // One device by the shaky network, one by a good one.
    proxy = await startFaultProxy(api.client.url);
  });
  beforeEach(async () => {
    await proxy.heal();
    event = await gate.event(organizer);
    const [shaky, steady] = [
      await gate.device(organizer, event, 'Shaky'),
      await gate.device(organizer, event, 'Steady'),
    ];
    devices = [
      new ReferenceDevice(proxy.url.replace(/\/$/, ''), shaky.token, event.id),
      new ReferenceDevice(api.client.url, steady.token, event.id),
    ];
    for (const device of devices) expect(await device.sync()).toBe(true);
  });
  afterAll(async () => {
    await proxy.cut();
    await api.stop();
  });

  const gate = gateBy(() => api);
  const synced = (device: ReferenceDevice) =>
    eventually(async () => expect([await device.sync(), device.queue.length]).toEqual([true, 0]));
  const results = async () => {
    const rows = await api.sql<{ result: string; number: number }>(
      'SELECT result, count(*)::int AS number FROM check_ins WHERE event_id = $1 GROUP BY result ORDER BY result',
      [event.id],
    );
    return Object.fromEntries(rows.map(({ result, number }) => [result, number]));
  };

  it('lets each ticket in once, and the counts agree in the end', async () => {
    const [shaky] = devices;
    const tickets = await gate.tickets(event, 30);
    const shown: string[] = [];
    for (const [i, ticket] of tickets.entries()) {
      if (i === 8) await proxy.cut();
      if (i === 16) await proxy.heal();
      // The server hears it, and the answer is lost.
      if (i === 20) proxy.freezeAfter(ticket.token.slice(-20));
      if (i === 23) {
        await proxy.cut();
        await proxy.heal();
        await synced(shaky);
      }
      const { result, isOffline } = await shaky.scan(ticket.token);
      shown.push(result);
      if (isOffline) expect((await shaky.scan(ticket.token)).result).toBe('already_in');
    }
    await synced(shaky);
    expect(new Set(shown)).toEqual(new Set(['admitted']));
    const { admitted, conflict } = await results();
    expect({ admitted, conflict }).toEqual({ admitted: 30, conflict: undefined });
    const inside = (await organizer.client.pages(`/events/${event.id}/attendees?checked_in=true`)).flat();
    expect(inside).toHaveLength(30);
  }, 30_000);

  it('keeps what two devices let in without knowing of each other', async () => {
    const [shaky, steady] = devices;
    const tickets = (await gate.tickets(event, 6)) as [PaidTicket, ...PaidTicket[]];
    await proxy.cut();
    for (const { token } of tickets)
      expect(await shaky.scan(token)).toEqual({ result: 'admitted', isOffline: true });
    for (const { token } of tickets.slice(0, 2))
      expect(await steady.scan(token)).toEqual({ result: 'admitted', isOffline: false });
    await proxy.heal();
    await synced(shaky);
    expect(await results()).toEqual({ admitted: 6, conflict: 2 });
    const { body } = await organizer.client.get(`/events/${event.id}/check-ins?conflict=true`);
    for (const conflict of body as { device: { name: string }; earlier: { device: { name: string } } }[]) {
      expect([conflict.device.name, conflict.earlier.device.name]).toEqual(['Shaky', 'Steady']);
    }
    // Both know it now.
    for (const device of devices) expect((await device.scan(tickets[0].token)).result).toBe('already_in');
  });

  it('refuses what it has heard of: tickets that are void, handed on, or of others', async () => {
    const [shaky] = devices;
    const [gone, handedOn, early] = [
      await gate.ticket(event),
      await gate.ticket(event),
      await gate.ticket(event),
    ];
    await organizer.client.post(`/tickets/${gone.ticket.id}/void`);
    const { body: anew } = await handedOn.buyer.client.send('PATCH', `/tickets/${handedOn.ticket.id}`, {
      body: JSON.stringify({ attendee: { name: 'Grace' } }),
      headers: { 'Content-Type': 'application/json' },
    });
    await synced(shaky);
    await proxy.cut();
    const other = await gate.event(organizer);
    const { ticket: foreign } = await gate.ticket(other);
    const seen = [];
    for (const token of [gone.ticket.token, handedOn.ticket.token, anew.token, foreign.token, 'nonsense'])
      seen.push((await shaky.scan(token as string)).result);
    expect(seen).toEqual(['void', 'void', 'admitted', 'wrong_event', 'not_valid']);
    // Not heard of yet: it is let in, and the organizer sees that it was void.
    await organizer.client.post(`/tickets/${early.ticket.id}/void`);
    expect((await shaky.scan(early.ticket.token)).result).toBe('admitted');
    await proxy.heal();
    await synced(shaky);
    expect([...shaky.late.values()]).toEqual([
      'void',
      'void',
      'admitted',
      'wrong_event',
      'not_valid',
      'void',
    ]);
  });
});
