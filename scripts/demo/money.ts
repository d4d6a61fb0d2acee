import { setTimeout as sleep } from 'node:timers/promises';

/** The money of a refund is back within this time here; the sandbox needs a moment. */
const REFUND_LIMIT_MS = 10_000;

type Resource = Record<string, unknown> & { id: number };
type Expected = [status: number, fields: object];

/** Sends requests for somebody, and fails where an answer is not what it should be. */
export interface Actor {
  get(path: string, ...expected: Expected): Promise<Resource>;
  post(path: string, body: object | undefined, ...expected: Expected): Promise<Resource>;
}

interface Stage {
  step: (title: string, explanation: string) => void;
  organizer: Actor;
  buyer: Actor;
}

/** An order with a price: declined once, then paid, and one of its tickets refunded. */
export async function tradeForMoney({ step, organizer, buyer }: Stage): Promise<void> {
  step('Olga sells tickets for money', 'Sums are in cents; the sandbox takes them, and no real ones.');
  const event = await organizer.post(
    '/events/',
    {
      title: 'Ball of the Difference Engine',
      start_time: '2099-07-01T19:00:00Z',
      end_time: '2099-07-01T22:00:00Z',
      total_tickets: 10,
      currency: 'EUR',
      ticket_types: [{ name: 'Stalls', price: 1_250 }],
      venue: {},
    },
    201,
    { currency: 'EUR' },
  );
  const [type] = (await organizer.get(`/events/${event.id}/ticket-types`, 200, [
    { price: 1_250 },
  ])) as unknown as [Resource];

  step('Ada orders two', 'Both places are hers for now, or none would be.');
  const order = await buyer.post(
    '/orders',
    { event_id: event.id, items: [{ ticket_type_id: type.id, quantity: 2 }] },
    201,
    { status: 'held', total: 2_500, currency: 'EUR' },
  );
  const path = `/orders/${String(order.code)}`;
  const [ticket] = order.tickets as [Resource, Resource];

  step('Her card is declined', 'The places stay hers while the hold lasts: she may try again.');
  await buyer.post(`${path}/payments`, { payment_method: 'declined' }, 201, {
    status: 'failed',
    failure_code: 'card_declined',
  });

  step('She takes another one', 'The money is there, and the places are sold.');
  await buyer.post(`${path}/payments`, { payment_method: 'ok' }, 201, { status: 'succeeded', amount: 2_500 });
  await buyer.get(path, 200, { status: 'paid', amount_paid: 2_500, amount_refunded: 0 });

  step('Olga gives the money of one ticket back', 'Its place is for sale again at once; the money follows.');
  await organizer.post(`${path}/refunds`, { ticket_ids: [ticket.id] }, 201, { amount: 1_250 });
  await buyer.get(`/tickets/${ticket.id}`, 200, { status: 'refunded' });
  await moneyIsBack(buyer, path);
}

/** Asks until it is, and shows every answer: there are few of them. */
async function moneyIsBack(buyer: Actor, path: string): Promise<void> {
  const end = Date.now() + REFUND_LIMIT_MS;
  for (;;) {
    await sleep(500);
    const isLastTry = Date.now() > end;
    const { amount_refunded } = await buyer.get(path, 200, isLastTry ? { amount_refunded: 1_250 } : {});
    if (amount_refunded === 1_250 || isLastTry) return;
  }
}
