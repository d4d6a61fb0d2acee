import type { TestApi } from './api';
import type { Client } from './client';
import { tokenOf } from './tokens';

/** What a ticket type of a test is, where it is something else than free and unlimited. */
export interface TestType {
  name?: string;
  price?: number;
  /** Places of its own. */
  capacity?: number;
  /** Shared with other types. */
  quotaId?: number;
  isHidden?: boolean;
  least?: number;
  most?: number;
  salesFrom?: string;
  salesUntil?: string;
}

/** A ticket as an answer shows it. */
export type TicketBody = Record<string, any> & { id: number; status: string };

/** An order as an answer shows it. */
export type OrderBody = Record<string, any> & { code: string; tickets: TicketBody[] };

/** The people of a test, each with a client of their own. */
export interface Party {
  id: number;
  client: Client;
}

export async function partyOf(api: TestApi): Promise<Party> {
  const { id } = await api.create.user();
  return { id, client: api.client.as(tokenOf(id)) };
}

/** Behind the API's back, so that a test of orders needs nothing but orders. */
export const stageBy = (api: () => TestApi) => {
  async function quota(eventId: number, kind: 'type' | 'code', capacity: number): Promise<number> {
    const [{ id }] = (await api().sql<{ id: number }>(
      'INSERT INTO quotas (event_id, kind, capacity) VALUES ($1, $2, $3) RETURNING id',
      [eventId, kind, capacity],
    )) as [{ id: number }];
    return id;
  }
  return {
    quota,

    /** An event of the organizer without types, in euros. */
    event: async (organizer: Party, fields: object = {}): Promise<{ id: number }> => {
      const { body } = await organizer.client.post('/events/', {
        title: 'Night of the Analytical Engine',
        start_time: '2099-06-01T19:00:00Z',
        end_time: '2099-06-01T22:00:00Z',
        total_tickets: 100,
        venue: {},
        ...fields,
      });
      await api().sql(`UPDATE events SET currency = 'EUR' WHERE id = $1`, [body.id]);
      await api().sql('DELETE FROM ticket_types WHERE event_id = $1', [body.id]);
      return body as { id: number };
    },

    /** @returns its id */
    type: async (event: { id: number }, type: TestType = {}): Promise<number> => {
      const own =
        type.quotaId ?? (type.capacity === undefined ? null : await quota(event.id, 'type', type.capacity));
      const [{ id }] = (await api().sql<{ id: number }>(
        `INSERT INTO ticket_types (event_id, name, price, quota_ids, is_hidden, min_per_order, max_per_order, sales_from, sales_until)
        SELECT $1, $2, $3, array_remove(ARRAY[id, $4::bigint], NULL), $5, $6, $7, $8, $9
        FROM quotas WHERE event_id = $1 AND kind = 'event'
        RETURNING id`,
        [
          event.id,
          type.name ?? 'Stalls',
          type.price ?? 0,
          own,
          type.isHidden ?? false,
          type.least ?? 1,
          type.most ?? 10,
          type.salesFrom ?? null,
          type.salesUntil ?? null,
        ],
      )) as [{ id: number }];
      return id;
    },

    /** Takes so much per cent or money off, `uses` times. */
    code: async (
      event: { id: number },
      key: string,
      {
        percent = null,
        amount = null,
        uses = 1_000,
        typeIds = null,
      }: {
        percent?: number | null;
        amount?: number | null;
        uses?: number;
        typeIds?: number[] | null;
      } = {},
    ): Promise<void> => {
      const quotaId = await quota(event.id, 'code', uses);
      await api().sql(
        `INSERT INTO codes (event_id, quota_id, code, code_key, percent_off, amount_off, ticket_type_ids, max_uses)
        VALUES ($1, $2, $3, $3, $4, $5, $6, $7)`,
        [event.id, quotaId, key, percent, amount, typeIds, uses],
      );
    },

    /** Lets the hold of an order fall due this very instant. */
    fallDue: async (code: string): Promise<void> => {
      await api().sql(
        `UPDATE orders SET created_at = created_at - (expires_at - now()), expires_at = now()
        WHERE id = (SELECT min(order_id) FROM tickets WHERE id = $1)`,
        [(await api().client.get(`/orders/${code}`)).body.tickets[0].id],
      );
    },

    /** The counters of an event: its own quota, then those of its types and codes. */
    counters: async ({ id }: { id: number }) =>
      await api().sql(
        `SELECT kind, held, sold, is_closed FROM quotas WHERE event_id = $1 ORDER BY kind, id`,
        [id],
      ),
  };
};
