import { tmpdir } from 'node:os';
import Redis from 'ioredis';
import { startRedis } from '../../support/redis';
import { openEvents } from '../fill/seats';
import { summarize } from '../measure';
import type { Part, PartReport } from '../part';
import { checkReservations, reservations } from '../windows';

const RESERVATIONS = 100_000;
/** Holds that fall due within this many milliseconds share a job (queue/bull-wake-up-sender.ts). */
const INTERVAL_MS = 100;

/** The queue costs one job per interval in which holds fall due, not one per ticket. */
export const queue: Part = {
  name: 'queue',
  about: 'Redis keys after 100,000 reservations',
  run: async (bench): Promise<PartReport> => {
    const redis = await startRedis(tmpdir());
    if (!redis) {
      return {
        figures: [],
        measurements: {},
        notes: ['Not measured: there is no redis-server on the PATH.'],
      };
    }
    bench.cleanup.add(() => redis.stop());
    const { database, users } = await bench.copyTemplate();
    const api = await bench.startApi(database, { REDIS_URL: redis.url, HOLD_SECONDS: '3600' });
    const event = await openEvents(database, 1);
    const result = await bench.load.start({
      target: { url: api.url },
      connections: bench.connections,
      requests: reservations(users, event, bench.sized(RESERVATIONS)),
    }).done;
    bench.tell('reservations with Bull', 1, result);
    await checkReservations(database, event, result);
    const [due] = await database.sql<{ intervals: number }>(
      `SELECT count(DISTINCT ceil(extract(epoch FROM expires_at) * 1000 / ${INTERVAL_MS}))::int AS intervals
       FROM ticket_states`,
    );
    const client = new Redis(redis.url);
    const keys = await client.dbsize();
    client.disconnect();
    await api.stop();
    await redis.stop();
    return {
      figures: [
        {
          name: 'Redis keys after 100,000 reservations (at most the number of due intervals + 20)',
          value: keys,
          unit: 'keys',
          good: 'below',
          atLeast: (due?.intervals ?? NaN) + 20,
        },
      ],
      measurements: { 'reservations with Bull': summarize([result]) },
    };
  },
};
