import { randomUUID } from 'node:crypto';
import type { TestApi } from './api';
import type { Answer, Client } from './client';
import { partyOf, stageBy, type Party, type TicketBody } from './orders';

/** A ticket whose code can be scanned. */
export type PaidTicket = TicketBody & { token: string };

/** An event whose gate is open, with its one ticket type. */
export interface GateEvent {
  id: number;
  type: number;
}

/** A device at a gate. */
export interface TestDevice {
  id: number;
  name: string;
  token: string;
  client: Client;
}

/** An event with tickets that are paid, and what a test does at its gate. */
export const gateBy = (api: () => TestApi) => {
  const stage = stageBy(api);

  /** Buys tickets of the event in one order. */
  async function tickets(event: GateEvent, quantity: number, by?: Party): Promise<PaidTicket[]> {
    const buyer = by ?? (await partyOf(api()));
    const items = [{ ticket_type_id: event.type, quantity }];
    const order = await buyer.client.post('/orders', { event_id: event.id, items });
    await buyer.client.post(`/orders/${order.body.code}/payments`, {});
    return (await buyer.client.get(`/orders/${order.body.code}`)).body.tickets as PaidTicket[];
  }

  /** An event of the organizer with one free type. */
  async function event(organizer: Party, fields: object = {}): Promise<GateEvent> {
    const made = await stage.event(organizer, { total_tickets: 100_000, ...fields });
    return { ...made, type: await stage.type(made, { most: 100 }) };
  }

  /** @param client whose API the device talks to */
  async function device(organizer: Party, at: { id: number }, name = 'North', client = api().client) {
    const { body } = await organizer.client.post(`/events/${at.id}/devices`, { name });
    const made = body as Omit<TestDevice, 'client'>;
    return { ...made, client: client.as(made.token) };
  }

  return {
    ...stage,
    tickets,
    event,
    device,

    /** An event with two devices, and its organizer. */
    open: async () => {
      const organizer = await partyOf(api());
      const opened = await event(organizer);
      const north = await device(organizer, opened, 'North');
      return { organizer, event: opened, north, south: await device(organizer, opened, 'South') };
    },

    /** A ticket and its buyer. */
    ticket: async (event: GateEvent): Promise<{ ticket: PaidTicket; buyer: Party }> => {
      const buyer = await partyOf(api());
      const [ticket] = await tickets(event, 1, buyer);
      return { ticket: ticket as PaidTicket, buyer };
    },
  };
};

/** A scan with a nonce of its own. */
export const scanOf = (what: { token: string } | { ticket_id: number }, fields: object = {}) => ({
  ...('token' in what ? { token: what.token } : { ticket_id: what.ticket_id }),
  nonce: randomUUID(),
  kind: 'entry',
  ...fields,
});

/** Scans at the gate of an event. */
export const scanAt = (
  client: Client,
  event: { id: number },
  what: { token: string } | { ticket_id: number },
  fields: object = {},
): Promise<Answer> => client.post(`/events/${event.id}/check-ins`, scanOf(what, fields));

/** Sends what a device scanned without a network. */
export const sendLate = (client: Client, event: { id: number }, scans: readonly unknown[]): Promise<Answer> =>
  client.post(`/events/${event.id}/check-ins/batch`, { check_ins: scans });
