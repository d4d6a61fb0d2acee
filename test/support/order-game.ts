import fc from 'fast-check';
import type { Answer, Client } from './client';
import type { Sql } from './seat-game';

/** Places one user may hold of one event, wherever the game is played. */
export const HOLD_LIMIT = 6;

/** Few people on one small event, so that they get in each other's way. */
export interface World {
  users: number[];
  event: number;
  /** Tickets one user may have of it. */
  limit: number | null;
  /** In the order of their ids. */
  types: { id: number; price: number; isShared: boolean; isHidden: boolean }[];
  sharedQuota: number;
  capacity: number;
  sharedCapacity: number;
  maxUses: number;
}

export interface Sizes {
  capacity: number;
  sharedCapacity: number;
  maxUses: number;
  limit: number | null;
}

export type CodeName = 'none' | 'HALF' | 'open';
export interface Item {
  type: number;
  quantity: number;
}
export type Step = { by: number } & (
  | { what: 'place'; user: number; items: Item[]; code: CodeName }
  | { what: 'pay' | 'cancel' | 'extend' | 'expire'; order: number }
  | { what: 'resize' | 'resizeShared'; capacity: number }
  | { what: 'archive'; type: number }
  | { what: 'cancelEvent' }
);

export const anySizes: fc.Arbitrary<Sizes> = fc.record({
  capacity: fc.integer({ min: 1, max: 30 }),
  sharedCapacity: fc.integer({ min: 1, max: 12 }),
  maxUses: fc.integer({ min: 1, max: 2 }),
  limit: fc.option(fc.integer({ min: 2, max: 9 })),
});

const by = fc.nat(1);
const order = fc.nat(999);
const items = fc
  .uniqueArray(fc.record({ type: fc.nat(2), quantity: fc.constantFrom(1, 1, 2, 3, 4) }), {
    minLength: 1,
    maxLength: 3,
    selector: ({ type }) => type,
  })
  .map((chosen) => chosen.sort((a, b) => a.type - b.type));

export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      by,
      what: fc.constant('place' as const),
      user: fc.nat(1),
      items,
      code: fc.constantFrom<CodeName>('none', 'none', 'HALF', 'open'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ by, what: fc.constant('pay' as const), order }) },
  { weight: 3, arbitrary: fc.record({ by, what: fc.constant('cancel' as const), order }) },
  { weight: 1, arbitrary: fc.record({ by, what: fc.constant('extend' as const), order }) },
  { weight: 3, arbitrary: fc.record({ by, what: fc.constant('expire' as const), order }) },
  {
    weight: 2,
    arbitrary: fc.record({
      by,
      what: fc.constantFrom('resize' as const, 'resizeShared' as const),
      capacity: fc.integer({ min: 1, max: 20 }),
    }),
  },
);

/** What ends a game, or nearly. */
export const anyLateStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ by, what: fc.constant('archive' as const), type: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ by, what: fc.constant('cancelEvent' as const) }) },
);

/** Three types: one of the event alone, two of a shared quota, the last hidden and opened by the code `open`. */
export async function createWorld(sql: Sql, sizes: Sizes): Promise<World> {
  const one = async (text: string, values: unknown[]) =>
    Number((await sql<{ id: string }>(text, values))[0]?.id);
  const users = [];
  for (let i = 0; i < 2; i++)
    users.push(
      await one(`INSERT INTO users (name, email) VALUES ('Player', gen_random_uuid()) RETURNING id`, []),
    );
  const event = await one(
    `INSERT INTO events (title, start_time, end_time, currency, max_tickets_per_user)
    VALUES ('Game', '2099-01-01', '2099-01-02', 'EUR', $1) RETURNING id`,
    [sizes.limit],
  );
  const quota = (kind: string, capacity: number) =>
    one('INSERT INTO quotas (event_id, kind, capacity) VALUES ($1, $2, $3) RETURNING id', [
      event,
      kind,
      capacity,
    ]);
  const whole = await quota('event', sizes.capacity);
  const shared = await quota('type', sizes.sharedCapacity);
  const type = async (price: number, isShared: boolean, isHidden: boolean) => ({
    id: await one(
      `INSERT INTO ticket_types (event_id, name, price, quota_ids, is_hidden, max_per_order)
      VALUES ($1, 'Type', $2, $3, $4, 3) RETURNING id`,
      [event, price, isShared ? [whole, shared] : [whole], isHidden],
    ),
    price,
    isShared,
    isHidden,
  });
  const types = [await type(0, false, false), await type(333, true, false), await type(1000, true, true)];
  const code = async (name: string, percent: number | null, typeIds: number[] | null, uses: number | null) =>
    sql(
      `INSERT INTO codes (event_id, quota_id, code, code_key, percent_off, ticket_type_ids, max_uses)
      VALUES ($1, $2, $3::text, lower($3::text), $4, $5, $6)`,
      [event, await quota('code', uses ?? 2_147_483_647), name, percent, typeIds, uses],
    );
  await code('half', 50, null, sizes.maxUses);
  await code(
    'open',
    null,
    types.map(({ id }) => id),
    null,
  );
  return { users, event, types, sharedQuota: shared, ...sizes };
}

export interface PlacedOrder {
  code: string;
  user: number;
  items: Item[];
  discount: CodeName;
  total: number;
}

/** `201`, or `409 event_sold_out`. */
export const outcomeOf = ({ status, body }: Answer<{ code?: string }>) =>
  status < 300 ? `${status}` : `${status} ${body.code}`;

/** One of the last few orders. */
export const chosenOrder = <Placed>(chosen: number, orders: Placed[]): Placed | undefined =>
  orders.at(-1 - (chosen % Math.max(Math.min(orders.length, 4), 1)));

export const place = (client: Client, world: World, step: Extract<Step, { what: 'place' }>) =>
  client.post('/orders', {
    user_id: world.users[step.user],
    event_id: world.event,
    items: step.items.map(({ type, quantity }) => ({ ticket_type_id: world.types[type]?.id, quantity })),
    ...(step.code !== 'none' && { code: step.code }),
  });

/** By an admin: cash, where it costs anything. */
export const pay = (client: Client, { code, total }: PlacedOrder) =>
  client.post(`/orders/${code}/payments`, total > 0 ? { offline: true } : {});

/** Puts a hold back until it is just due, as if the time had gone by. */
export const expire = (sql: Sql, id: number) =>
  sql(
    `UPDATE orders SET created_at = created_at - (expires_at - now()), expires_at = now()
    WHERE id = $1 AND status = 'held'`,
    [id],
  );

export const change = (client: Client, path: string, body: object) =>
  client.send('PATCH', path, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
