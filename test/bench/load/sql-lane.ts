import { Client } from 'pg';
import { Settings } from '../../../src/config/settings';
import { PLACE_HOLDS } from '../../../src/inventory/place-holds.statement';
import { LONG_HOLD_SECONDS } from './job';
import type { Lane, Request } from './requests';

/** For a lock: 32 connections wait for each other. */
const PATIENCE_MS = 10_000;

const { MAX_HOLDS_PER_USER_EVENT, HOLD_COOL_DOWN_SECONDS, MAX_HOLDS_PER_NETWORK_EVENT } = new Settings();

/**
 * What a good engineer would write first: the place is taken if there is one, and the ticket written, in one
 * statement. It knows no limit per user.
 */
const SIMPLE = `
  WITH seat AS (
    UPDATE inventory SET held = held + 1
    FROM events, users
    WHERE inventory.event_id = $2 AND events.id = $2 AND events.end_time > now() AND held + sold < capacity
      AND users.id = $1
    RETURNING inventory.event_id
  )
  INSERT INTO tickets (user_id, event_id, status, created_at, expires_at)
  SELECT $1, event_id, 'reserved', now(), now() + make_interval(secs => $3::int) FROM seat
  RETURNING *`;

/** One connection to the database that reserves by one prepared statement per ticket, without any HTTP. */
export class SqlLane implements Lane {
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
      const policy = [LONG_HOLD_SECONDS, MAX_HOLDS_PER_USER_EVENT, HOLD_COOL_DOWN_SECONDS, PATIENCE_MS];
      const values = [[user], [event], ...policy, [issuedAt], [null], [user], MAX_HOLDS_PER_NETWORK_EVENT];
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
