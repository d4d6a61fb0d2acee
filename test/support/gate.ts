import { partyOf, stageBy, type Party, type TicketBody } from './orders';
import type { TestApi } from './api';

/** A ticket whose code can be scanned. */
export type PaidTicket = TicketBody & { token: string };

/** An event with tickets that are paid, and what a test does at its gate. */
export const gateBy = (api: () => TestApi) => {
  const stage = stageBy(api);
  return {
    ...stage,

    /** @returns an event of the organizer's with one free type, and the id of the type */
    event: async (organizer: Party, fields: object = {}) => {
      const event = await stage.event(organizer, { total_tickets: 1_000_000, ...fields });
      return { ...event, type: await stage.type(event, { most: 100 }) };
    },

    /** Buys tickets of the event in one order. */
    tickets: async (event: { id: number; type: number }, quantity = 1, by?: Party): Promise<PaidTicket[]> => {
      const buyer = by ?? (await partyOf(api()));
      const items = [{ ticket_type_id: event.type, quantity }];
      const order = await buyer.client.post('/orders', { event_id: event.id, items });
      await buyer.client.post(`/orders/${order.body.code}/payments`, {});
      return (await buyer.client.get(`/orders/${order.body.code}`)).body.tickets as PaidTicket[];
    },

    /** The same, with who bought it. */
    ticket: async (event: { id: number; type: number }): Promise<{ ticket: PaidTicket; buyer: Party }> => {
      const buyer = await partyOf(api());
      const items = [{ ticket_type_id: event.type, quantity: 1 }];
      const order = await buyer.client.post('/orders', { event_id: event.id, items });
      await buyer.client.post(`/orders/${order.body.code}/payments`, {});
      const { body } = await buyer.client.get(`/orders/${order.body.code}`);
      return { ticket: body.tickets[0] as PaidTicket, buyer };
    },
  };
};
