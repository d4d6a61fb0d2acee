import { setTimeout as sleep } from 'node:timers/promises';
import { Test } from '@nestjs/testing';
import Bull from 'bull';
import { ConfigModule } from '../../src/config/config.module';
import { readSettings } from '../../src/config/settings';
import { DatabaseModule } from '../../src/database/database.module';
import { TixxetyDataSource } from '../../src/database/tixxety-data-source';
import { ReleaseProcessor } from '../../src/expiration/release.processor';
import { EXPIRATION_QUEUE } from '../../src/queue/job-types';
import { QueueModule } from '../../src/queue/queue.module';
import { RateLimitModule } from '../../src/rate-limit/rate-limit.module';
import { TicketsModule } from '../../src/tickets/tickets.module';
import type { TestDatabase } from './databases';
import { eventually } from './eventually';
import type { Factories } from './factories';
import { redisPrefixOf } from './redis-prefix';

/** Holds that fall due within this time share a job. */
const INTERVAL_MS = 100;

export interface Hold {
  id: number;
  expires_at: string;
}

/** Writes down every release: which ticket, how long after its time, and whose connection it was. */
export const NOTE_RELEASES = `
  CREATE TABLE releases (ticket_id bigint, late_ms double precision, released_by text);
  CREATE FUNCTION note_release() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO releases
    SELECT id, extract(epoch FROM clock_timestamp() - NEW.expires_at) * 1000, current_setting('application_name')
    FROM tickets WHERE order_id = NEW.id;
    RETURN NULL;
  END
  $$;
  CREATE TRIGGER note_release AFTER UPDATE ON orders
    FOR EACH ROW WHEN (NEW.status = 'expired') EXECUTE FUNCTION note_release();`;

/** Waits until the holds are released, each once, never early, and all by that kind of process. */
export async function released(
  database: TestDatabase,
  holds: Hold[],
  occasion: string,
  by: 'api' | 'worker',
): Promise<void> {
  const ids = holds.map(({ id }) => id);
  const releases = await eventually(async () => {
    const rows = await database.sql<{ ticket_id: string; late_ms: number; released_by: string }>(
      'SELECT * FROM releases WHERE ticket_id = ANY ($1) ORDER BY ticket_id',
      [ids],
    );
    expect(rows.map((row) => Number(row.ticket_id))).toEqual([...ids].sort((a, b) => a - b));
    return rows;
  });
  const late = releases.map((row) => row.late_ms);
  const [earliest, latest] = [Math.min(...late), Math.max(...late)];
  process.stdout.write(
    `released by ${occasion}: ${earliest.toFixed()} to ${latest.toFixed()} ms after the time\n`,
  );
  expect(earliest).toBeGreaterThanOrEqual(0);
  expect(latest).toBeLessThan(5_000);
  expect(new Set(releases.map((row) => row.released_by))).toEqual(new Set([`tixxety ${by}`]));
}

/** The tickets whose seats are still held, due or not. */
export async function unreleased({ sql }: TestDatabase): Promise<number[]> {
  const rows = await sql<{ id: string }>(
    `SELECT id FROM ticket_states WHERE status = 'reserved' ORDER BY id`,
  );
  return rows.map(({ id }) => Number(id));
}

export async function now({ sql }: TestDatabase): Promise<number> {
  const [row] = await sql<{ now: Date }>('SELECT clock_timestamp() AS now');
  return row?.now.getTime() ?? NaN;
}

/** An event, and a user who holds seats of it. */
export async function openScene(create: Factories, total_tickets: number) {
  const [user, event] = await Promise.all([create.user(), create.event({ total_tickets })]);
  const reserve = (): Promise<Hold> => create.ticket({ user_id: user.id, event_id: event.id });
  return {
    reserve,
    reserveOneByOne: async (number: number) => {
      const holds: Hold[] = [];
      for (let i = 0; i < number; i++) {
        holds.push(await reserve());
        await sleep(1.3 * INTERVAL_MS);
      }
      return holds;
    },
  };
}

export const jobIdFor = ({ expires_at }: Hold) =>
  `release-${Math.ceil(Date.parse(expires_at) / INTERVAL_MS) * INTERVAL_MS}`;

/** Looks into the queue from outside. */
export async function watchJobs(redisUrl: string, database: TestDatabase) {
  const prefix = await redisPrefixOf(database);
  const queue = new Bull(EXPIRATION_QUEUE, redisUrl, { prefix });
  let tickets = 0;
  queue.on('global:completed', (_id, result: string) => (tickets += Number(result)));
  await queue.isReady();
  return {
    queue,
    /** How many holds the completed jobs have ended, by their own account. */
    releasedTickets: () => tickets,
    /** The ids of the jobs that Redis knows, in whatever state. */
    left: async () =>
      (await queue.client.keys(`${prefix}:${EXPIRATION_QUEUE}:release-*`))
        .map((key) => key.replace(`${prefix}:${EXPIRATION_QUEUE}:`, ''))
        .sort(),
    stop: () => queue.close(),
  };
}

/** A worker without a sweeper. */
export async function startProcessorAlone(environment: Record<string, string>) {
  const settings = readSettings(environment);
  const dataSource = await new TixxetyDataSource(settings, 'worker').initialize();
  const testing = await Test.createTestingModule({
    imports: [
      ConfigModule.register(settings),
      DatabaseModule.register(dataSource),
      QueueModule.register(settings, dataSource.installation),
      RateLimitModule.register(settings, dataSource.installation),
      TicketsModule,
    ],
    providers: [ReleaseProcessor],
  }).compile();
  return await testing.init();
}
