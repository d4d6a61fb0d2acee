import type { Client } from './client';
import {
  change,
  chosenOrder,
  expire,
  pay,
  place,
  type PlacedOrder,
  type Step,
  type World,
} from './order-game';
import type { Sql } from './seat-game';
import { INVENTORY_MISMATCHES } from './seats';

export interface Players {
  clients: Client[];
  sql: Sql;
  /** The id of an order by its code. */
  idOf: (code: string) => number;
}

/** Everybody takes their steps one after the other, and all of them at once. */
export async function playAtOnce(
  { clients, sql, idOf }: Players,
  world: World,
  everybody: Step[][],
): Promise<PlacedOrder[]> {
  const orders: PlacedOrder[] = [];
  await Promise.all(
    everybody.map(async (steps) => {
      for (const step of steps) {
        const client = clients[step.by % clients.length] as Client;
        switch (step.what) {
          case 'place': {
            const { status, body } = await place(client, world, step);
            const { user, items, code: discount } = step;
            if (status === 201) orders.push({ code: body.code, user, items, discount, total: body.total });
            break;
          }
          case 'resize':
            await change(client, `/events/${world.event}`, { total_tickets: step.capacity });
            break;
          case 'resizeShared':
            await change(client, `/quotas/${world.sharedQuota}`, { capacity: step.capacity });
            break;
          case 'archive':
            await client.send('DELETE', `/ticket-types/${world.types[step.type]?.id}`);
            break;
          case 'cancelEvent':
            await client.post(`/events/${world.event}/cancel`);
            break;
          default: {
            const order = chosenOrder(step.order, orders);
            if (!order) break;
            if (step.what === 'expire') await expire(sql, idOf(order.code));
            else if (step.what === 'pay') await pay(client, order);
            else await client.post(`/orders/${order.code}/${step.what}`);
          }
        }
      }
    }),
  );
  return orders;
}

/** What must never be, told in words; empty when all is well. */
export async function violationsIn(sql: Sql, world: World, orders: PlacedOrder[]): Promise<string[]> {
  const told: [wrong: string, where: unknown[]][] = [
    ['places that do not add up', await sql(INVENTORY_MISMATCHES)],
    [
      'more than a user may have',
      await sql(
        `SELECT user_id, sum(places) FROM orders
        WHERE event_id = $1 AND (status = 'paid' OR status = 'held' AND expires_at > now())
        GROUP BY user_id HAVING sum(places) > $2`,
        [world.event, world.limit ?? 1_000_000],
      ),
    ],
    [
      'more uses of a code than it allows',
      await sql(
        `SELECT code_key FROM orders JOIN codes ON codes.id = code_id
        WHERE orders.event_id = $1 AND orders.status IN ('held', 'paid')
        GROUP BY codes.id HAVING count(*) > max_uses`,
        [world.event],
      ),
    ],
    [
      'orders whose tickets do not add up',
      await sql(
        `SELECT orders.id FROM orders LEFT JOIN tickets ON order_id = orders.id WHERE event_id = $1
        GROUP BY orders.id HAVING count(tickets.id) <> places OR sum(price) <> total`,
        [world.event],
      ),
    ],
    [
      'orders paid in part',
      await sql(`SELECT id FROM orders WHERE event_id = $1 AND status = 'paid' AND amount_paid <> total`, [
        world.event,
      ]),
    ],
    ['promised twice', orders.filter(({ code }, i) => orders.findIndex((other) => other.code === code) < i)],
  ];
  return told.flatMap(([wrong, where]) => (where.length > 0 ? [`${wrong}: ${JSON.stringify(where)}`] : []));
}
