import type { DataSource } from 'typeorm';
import type { SeatsOptions } from './count-places';
import { STATEMENT_MS } from './ranges';
import { plural, type Finding } from './report';

/** Users per statement. */
const PAGE = 2_000;

/** Of the next users behind `$1`. Counted as `count_bought_places` does: live holds, and paid tickets that keep their places. */
const OF_USERS = `
  WITH page AS MATERIALIZED (
    SELECT id FROM users WHERE id > $1 ORDER BY id LIMIT ${PAGE}
  ), limited AS MATERIALIZED (
    SELECT orders.id, user_id, event_id, places, orders.status, max_tickets_per_user AS most
    FROM page JOIN orders ON user_id = page.id JOIN events ON events.id = event_id
    WHERE max_tickets_per_user IS NOT NULL
      AND (orders.status = 'paid' OR orders.status = 'held' AND expires_at > now())
  ), had AS MATERIALIZED (
    SELECT user_id AS "userId", event_id AS "eventId", most, sum(
      CASE status WHEN 'held' THEN places ELSE (
        SELECT count(*) FROM tickets WHERE order_id = limited.id AND (fate IS NULL OR fate = 'blocked')
      ) END
    )::int AS number
    FROM limited GROUP BY user_id, event_id, most
  )
  SELECT (SELECT count(*)::int FROM page) AS users, (SELECT max(id) FROM page) AS last,
    (SELECT coalesce(json_agg(had ORDER BY "userId", "eventId"), '[]') FROM had WHERE number > most) AS excesses`;

const CODES = `
  SELECT codes.id, code, codes.event_id AS "eventId", max_uses AS most, capacity
  FROM codes JOIN quotas ON quotas.id = quota_id
  WHERE deleted_at IS NULL AND capacity <> coalesce(max_uses, 2147483647)
  ORDER BY codes.id`;

interface Excess {
  userId: number;
  eventId: number;
  most: number;
  number: number;
}

interface Page {
  users: number;
  last: number | null;
  excesses: Excess[];
}

interface WrongCode {
  id: number;
  code: string;
  eventId: number;
  most: number | null;
  capacity: number;
}

/** Users with more tickets than their event allows, and codes whose counters allow another number of uses than they do. */
export async function checkLimits(
  database: DataSource,
  { progress, stopped, statementMs = STATEMENT_MS }: SeatsOptions,
): Promise<Finding> {
  const users: Excess[] = [];
  const codes = await database.transaction('REPEATABLE READ', async (manager) => {
    await manager.query(`SET LOCAL statement_timeout = ${statementMs}`);
    const [{ total }] = await manager.query<[{ total: number }]>('SELECT count(*)::int AS total FROM users');
    await progress(total, async (add) => {
      for (let last: number | null = 0; last !== null;) {
        stopped.throwIfAborted();
        const [page]: [Page] = await manager.query<[Page]>(OF_USERS, [last]);
        users.push(...page.excesses);
        add(page.users);
        last = page.last;
      }
    });
    return await manager.query<WrongCode[]>(CODES);
  });
  if (users.length + codes.length === 0)
    return { status: 'ok', message: 'No user and no code is above its limit' };
  return {
    status: codes.length > 0 ? 'wrong' : 'warning',
    message: [
      users.length > 0 && `${plural(users.length, 'user')} with more tickets of an event than it allows`,
      codes.length > 0 && `${plural(codes.length, 'code')} with another number of uses than its counter`,
    ]
      .filter(Boolean)
      .join(', '),
    details: [
      ...codes.map((code) => ({
        ...code,
        message: `event ${code.eventId}: code ${JSON.stringify(code.code)} allows ${code.most ?? 'any number of'} uses, its counter ${code.capacity}`,
      })),
      ...users.map((user) => ({
        ...user,
        message: `event ${user.eventId}: user ${user.userId} has ${plural(user.number, 'ticket')}, and ${user.most} are allowed`,
      })),
    ],
    advice: [
      users.length > 0 &&
        'Where the organizer has lowered max_tickets_per_user since, all is well; else it is a defect: tell us.',
      codes.length > 0 && 'PATCH /codes/{id} with its max_uses sets the counter right.',
    ]
      .filter(Boolean)
      .join(' '),
  };
}
