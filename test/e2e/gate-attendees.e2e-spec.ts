import { startTestApi, type TestApi } from '../support/api';
import { gateBy, type GateEvent } from '../support/gate';
import { partyOf, type Party } from '../support/orders';
import { expectProblem } from '../support/problems';

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
