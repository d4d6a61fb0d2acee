import type { Resource, Visitor } from './visitor';

/** An order of three tickets over two types, with a code. */
export async function order(visitor: Visitor): Promise<void> {
  visitor.step(
    'Otto puts an opera on sale',
    'Stalls cost 25.00 € and there are plenty; of boxes there are two.',
  );
  const otto = await visitor.signUp({ name: 'Otto', email: 'otto@example.com' });
  const event = await visitor.as(otto).post(
    '/events/',
    {
      title: 'The Orderly Opera',
      start_time: '2099-07-01T19:00:00Z',
      end_time: '2099-07-01T22:00:00Z',
      total_tickets: 100,
      venue: { address: 'Opera House' },
      currency: 'EUR',
      ticket_types: [
        { name: 'Stalls', price: 2_500 },
        { name: 'Box', price: 4_999, capacity: 2 },
      ],
    },
    201,
    { total_tickets: 100, currency: 'EUR' },
  );
  const types = await visitor.as().get(`/events/${event.id}/ticket-types`, 200, [
    { name: 'Stalls', price: 2_500, state: 'on_sale' },
    { name: 'Box', price: 4_999, available: 2 },
  ]);
  const [stalls, box] = (types as unknown as [Resource, Resource]).map(({ id }) => id);

  visitor.step('Otto makes a code', 'It takes a tenth off, for one order.');
  await visitor
    .as(otto)
    .post(`/events/${event.id}/codes`, { code: 'EARLY', percent_off: 10, max_uses: 1 }, 201, {
      percent_off: 10,
    });

  visitor.step(
    'Dora orders three tickets',
    'All of them or none, in one order; the code makes each cheaper.',
  );
  const dora = await visitor.signUp({ name: 'Dora', email: 'dora@example.com' });
  const doras = await visitor.as(dora).post(
    '/orders',
    {
      event_id: event.id,
      items: [
        { ticket_type_id: stalls, quantity: 2 },
        { ticket_type_id: box, quantity: 1, attendees: [{ name: 'Dora' }] },
      ],
      code: 'early',
    },
    201,
    {
      status: 'held',
      ...{ subtotal: 9_999, discount: 1_000, total: 8_999, currency: 'EUR' },
      tickets: [{ price: 2_250 }, { price: 2_250 }, { price: 4_499, attendee: { name: 'Dora' } }],
    },
  );
  const path = `/orders/${String(doras.code)}`;

  visitor.step(
    'Eve wants two boxes',
    'One is left: so she gets none of her order, and is told which item does not fit.',
  );
  const eve = await visitor.signUp({ name: 'Eve', email: 'eve@example.com' });
  const eves = { event_id: event.id, items: [{ ticket_type_id: stalls, quantity: 1 }] };
  await visitor
    .as(eve)
    .post('/orders', { ...eves, items: [...eves.items, { ticket_type_id: box, quantity: 2 }] }, 409, {
      code: 'ticket_type_sold_out',
      errors: [{ pointer: '/items/1/quantity' }],
    });

  visitor.step('Eve tries the code', 'Dora holds its only use.');
  await visitor.as(eve).post('/orders', { ...eves, code: 'EARLY' }, 409, { code: 'code_used_up' });

  visitor.step('Otto takes the cash from Dora', 'He notes that he has it, and her three places are sold.');
  await visitor.as(otto).post(`${path}/payments`, { offline: true, reference: 'Receipt 1' }, 201, {
    status: 'succeeded',
    amount: 8_999,
  });
  const paid = { status: 'paid' };
  await visitor.as(dora).get(path, 200, { ...paid, amount_paid: 8_999, tickets: [paid, paid, paid] });

  visitor.step('The books balance', 'Three places are sold, for what Dora paid.');
  await visitor
    .as()
    .get(`/events/${event.id}`, 200, { tickets_sold: 3, tickets_held: 0, tickets_available: 97 });
  await visitor
    .as(otto)
    .get(`/events/${event.id}/summary`, 200, { amount_paid: 8_999, tickets: [{ paid: 2 }, { paid: 1 }] });
}
