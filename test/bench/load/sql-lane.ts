import { Client } from 'pg';
import { Settings } from '../../../src/config/settings';
import { PLACE_HOLDS } from '../../../src/inventory/place-holds.statement';
import { LONG_HOLD_SECONDS } from './job';
import type { Lane, Request } from './requests';

/** For a lock: 32 connections wait for each other. */
const PATIENCE_MS = 10_000;

const { MAX_HOLDS_PER_USER_EVENT, HOLD_COOL_DOWN_SECONDS } = new Settings();

/**
 * What a good engineer would write first: the place is taken if there is one, and the order and its ticket are written, in
 * one statement. It knows one ticket type, and no limit per user.
 */
const SIMPLE = `
  WITH place AS (
    UPDATE quotas SET held = held + 1
    FROM events, users, ticket_types
    WHERE quotas.event_id = $2 AND events.id = $2 AND events.end_time > now() AND held + sold < capacity
      AND users.id = $1 AND ticket_types.event_id = $2
    RETURNING quotas.id, quotas.event_id, ticket_types.id AS type_id
  ), placed AS (
    INSERT INTO orders (user_id, event_id, status, places, created_at, expires_at, type_ids, numbers, quota_ids, quota_numbers)
    SELECT $1, event_id, 'held', 1, now(), now() + make_interval(secs => $3::int), ARRAY[type_id], ARRAY[1], ARRAY[id], ARRAY[1]
    FROM place
    RETURNING id, type_ids
  )
  INSERT INTO tickets (order_id, ticket_type_id) SELECT id, type_ids[1] FROM placed
  RETURNING *`;

/** One connection to the database that reserves by one prepared statement per ticket, without any HTTP. */
export class SqlLane implements Lane {
  readonly answer = '';

  private constructor(
    private readonly client: Client,
    private readonly statement: 'ours' | 'simple',
  ) {}

  static async open(databaseUrl: string, statement: 'ours' | 'simple'): Promise<SqlLane> {
    const client = new Client({ connectionString: databaseUrl });
    await client.connect();
    return new SqlLane(client, statement);
  }

  async send({ reservation: [user, event] = [0, 0] }: Request): Promise<string> {
    try {
      if (this.statement === 'simple') {
        const values = [user, event, LONG_HOLD_SECONDS];
        const { rowCount } = await this.client.query({ name: 'simple', text: SIMPLE, values });
        return rowCount === 1 ? '201' : '409 event_sold_out';
      }
      const issuedAt = Math.floor(Date.now() / 1_000);
      const nothing = [[null], [null], [null], [null]];
      const item = [[1], [0], [0], [null], [1], [null]];
      const policy = [LONG_HOLD_SECONDS, MAX_HOLDS_PER_USER_EVENT, HOLD_COOL_DOWN_SECONDS, PATIENCE_MS];
      const values = [[user], [event], [issuedAt], ...nothing, ...item, ...policy, [null], [null], 0];
      const { rows } = await this.client.query<{ refusal: string | null }>({ ...PLACE_HOLDS, values });
      return rows[0]?.refusal ?? '201';
    } catch (error) {
      return (error as { code?: string }).code ?? (error as Error).message;
    }
  }

  async close(): Promise<void> {
    await this.client.end();
  }
}
