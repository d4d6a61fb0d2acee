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
import { orderViolationsIn } from './order-mismatches';
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
export async function violationsIn(sql: Sql, orders: PlacedOrder[]): Promise<string[]> {
  const told: [wrong: string, where: unknown[]][] = [
    ['places that do not add up', await sql(INVENTORY_MISMATCHES)],
    ['promised twice', orders.filter(({ code }, i) => orders.findIndex((other) => other.code === code) < i)],
  ];
  return [
    ...told.flatMap(([wrong, where]) => (where.length > 0 ? [`${wrong}: ${JSON.stringify(where)}`] : [])),
    ...(await orderViolationsIn(sql)),
  ];
}
