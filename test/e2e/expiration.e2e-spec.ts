import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { startApi } from '../../src/api';
import { readSettings } from '../../src/config/settings';
import { TicketsService } from '../../src/tickets/tickets.service';
import { startWorker } from '../../src/worker';
import { startTestApi } from '../support/api';
import { Client } from '../support/client';
import { createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { factoriesFor } from '../support/factories';
import { startMain, type RunningProcess } from '../support/processes';
import { ownRedis, type OwnRedis } from '../support/redis';
import {
  jobIdFor,
  NOTE_RELEASES,
  now,
  openScene,
  released,
  startProcessorAlone,
  unreleased,
  watchJobs,
  type Hold,
} from '../support/releases';
import { INVENTORY_MISMATCHES, REMOVE_EVENTS } from '../support/seats';
import { TEST_SECRET } from '../support/tokens';
import { describeWithRedis } from '../support/with-redis';

const HOLD_MS = 1_000;
/** Nothing listens on it. */
const DEAD_REDIS = 'redis://127.0.0.1:1';
const OUT_OF_REACH = /Redis at REDIS_URL is out of reach/g;

describe('the end of a hold', () => {
  let database: TestDatabase;
  let settings: Record<string, string>;

  beforeAll(async () => {
    database = await createDatabase();
    await database.sql(NOTE_RELEASES);
    settings = { NODE_ENV: 'test', DATABASE_URL: database.url, HOLD_SECONDS: '1' };
  });
  afterAll(() => database.drop());

  describeWithRedis('with Bull, in processes of their own,', () => {
    let redis: OwnRedis;
    let api: RunningProcess;
    let worker: RunningProcess;

    beforeAll(async () => {
      redis = await ownRedis();
      const environment = { ...settings, REDIS_URL: redis.url };
      [api, worker] = await Promise.all([startMain([], environment), startMain(['--worker'], environment)]);
    });
    afterAll(async () => {
      const ends = await Promise.all([api.stop(), worker.stop()]);
      await redis.stop();
      expect(ends.map(({ code }) => code)).toEqual([0, 0]);
    });

    it('comes by a delayed job in a worker process, on time and never early', async () => {
      const jobs = await watchJobs(redis.url, database);
      const scene = await openScene(factoriesFor(new Client(api.url)), 12);

      const first = await scene.reserve();
      await eventually(async () => expect(await jobs.left()).toEqual([jobIdFor(first)]), HOLD_MS / 2);
      expect(await jobs.queue.getDelayedCount()).toBe(1);
      expect(await unreleased(database)).toEqual([first.id]);

      const holds = [first, ...(await scene.reserveOneByOne(11))];
      await released(database, holds, 'a worker with Bull', 'worker');
      // The sweeper, which comes now and then, may have been quicker: on a busy machine for most of them.
      await eventually(async () => {
        if (jobs.releasedTickets() < 6) {
          await released(database, await scene.reserveOneByOne(6), 'a worker with Bull, again', 'worker');
        }
        expect(jobs.releasedTickets()).toBeGreaterThanOrEqual(6);
      }, 20_000);
      await eventually(async () => expect(await jobs.left()).toEqual([]));
      expect(await database.sql(INVENTORY_MISMATCHES)).toEqual([]);
      await Promise.all(Array.from({ length: 10 }, () => scene.reserve()));

      await jobs.stop();
    });

    it('comes by the sweeper while Redis is away or has forgotten the job, and by Bull again after', async () => {
      const scene = await openScene(factoriesFor(new Client(api.url)), 20);
      const seesRedis = async ({ url }: RunningProcess) => {
        const { body } = await new Client(url).get('/health/ready');
        return !/degraded/.test(body.details.redis.message ?? '');
      };

      const doomed = await scene.reserve();
      await redis.takeAway();
      const begun = Date.now();
      const unannounced = [await scene.reserve(), ...(await scene.reserveOneByOne(3))];
      expect(Date.now() - begun).toBeLessThan(5_000);
      expect(await Promise.all([api, worker].map(seesRedis))).toEqual([false, false]);
      await released(database, [doomed, ...unannounced], 'a worker without its Redis', 'worker');
      for (const { output } of [api, worker]) expect(output().match(OUT_OF_REACH)).toHaveLength(1);

      await redis.bringBack();
      await eventually(async () =>
        expect(await Promise.all([api, worker].map(seesRedis))).toEqual([true, true]),
      );
      const jobs = await watchJobs(redis.url, database);
      await eventually(async () => {
        await released(database, await scene.reserveOneByOne(4), 'a worker with its Redis back', 'worker');
        expect(jobs.releasedTickets()).toBeGreaterThan(0);
      }, 20_000);

      const forgotten = await scene.reserve();
      await eventually(async () => expect(await jobs.left()).toEqual([jobIdFor(forgotten)]), HOLD_MS / 2);
      await redis.forget();
      expect(await jobs.left()).toEqual([]);
      await released(database, [forgotten], 'a worker whose Redis forgot the job', 'worker');

      await jobs.stop();
    });
  });

  describe('in this process', () => {
    let environment: Record<string, string>;
    beforeEach(async () => {
      await database.sql(`${REMOVE_EVENTS}; TRUNCATE releases`);
      environment = { ...settings };
    });

    describeWithRedis('with Bull', () => {
      let redis: OwnRedis;

      beforeEach(async () => {
        redis = await ownRedis();
        environment.REDIS_URL = redis.url;
      });
      afterEach(() => redis.stop());

      it('comes by the processor alone, and without it not at all', async () => {
        const api = await startTestApi(environment);
        const jobs = await watchJobs(redis.url, database);
        const scene = await openScene(api.create, 2);

        const unattended = await scene.reserve();
        await sleep(HOLD_MS + 500);
        expect(await unreleased(database)).toEqual([unattended.id]);
        expect(await jobs.left()).toEqual([jobIdFor(unattended)]);

        const processor = await startProcessorAlone(environment);
        await eventually(async () => expect(await unreleased(database)).toEqual([]));
        await released(database, [await scene.reserve()], 'the processor alone', 'worker');
        await eventually(() => expect(jobs.releasedTickets()).toBe(2));
        await eventually(async () => expect(await jobs.left()).toEqual([]));

        await jobs.stop();
        await processor.close();
        await api.stop();
      });

      it('costs one job per interval, however many holds fall due in it', async () => {
        const api = await startTestApi({ ...environment, MAX_HOLDS_PER_USER_EVENT: '0' });
        const jobs = await watchJobs(redis.url, database);
        const scene = await openScene(api.create, 200);

        const holds: Hold[] = [];
        for (let i = 0; i < 10; i++) {
          holds.push(...(await Promise.all(Array.from({ length: 20 }, () => scene.reserve()))));
        }
        const expected = [...new Set(holds.map(jobIdFor))].sort();
        expect(expected.length).toBeLessThan(50);
        await eventually(async () => expect(await jobs.left()).toEqual(expected));

        const options = { settings: readSettings(environment), migrate: false, say: () => undefined };
        const worker = await startWorker(options, pino({ level: 'silent' }));
        await released(database, holds, '200 holds at once, a worker with Bull', 'worker');
        await eventually(async () => expect(await jobs.left()).toEqual([]));
        const counts = { waiting: 0, active: 0, completed: 0, failed: 0, delayed: 0, paused: 0 };
        expect(await jobs.queue.getJobCounts()).toMatchObject(counts);
        expect(await database.sql(INVENTORY_MISMATCHES)).toEqual([]);

        await jobs.stop();
        await worker.stop();
        await api.stop();
      });
    });

    it('comes by the sweeper of a worker that has never seen its Redis; each says so once', async () => {
      let log = '';
      const logger = pino({ level: 'warn' }, { write: (line: string) => void (log += line) });
      const options = {
        settings: readSettings({ ...environment, PORT: '0', JWT_SECRET: TEST_SECRET, REDIS_URL: DEAD_REDIS }),
        migrate: false,
        say: () => undefined,
      };
      const [api, worker] = await Promise.all([startApi(options, logger), startWorker(options, logger)]);
      const scene = await openScene(factoriesFor(new Client(api.url)), 3);
      await released(database, await scene.reserveOneByOne(3), 'a worker with a dead Redis', 'worker');
      expect(log.match(OUT_OF_REACH)).toHaveLength(2);
      await Promise.all([api.stop(), worker.stop()]);
    });

    it('comes by the API itself where no Redis is set', async () => {
      const api = await startTestApi(environment);
      const scene = await openScene(api.create, 5);
      await released(database, await scene.reserveOneByOne(5), 'the API alone', 'api');
      await api.stop();
    });

    it('gives each seat back once, however many release at the same time', async () => {
      // With a Redis in its environment the API leaves the release to workers, and here there is none.
      const api = await startTestApi({
        ...environment,
        REDIS_URL: DEAD_REDIS,
        MAX_HOLDS_PER_USER_EVENT: '0',
      });
      const scenes = await Promise.all(Array.from({ length: 4 }, () => openScene(api.create, 50)));
      const holds = await Promise.all(scenes.flatMap(({ reserve }) => Array.from({ length: 50 }, reserve)));
      await sleep(HOLD_MS);
      expect(await unreleased(database)).toHaveLength(200);

      const tickets = api.app.get(TicketsService, { strict: false });
      const numbers = await Promise.all(Array.from({ length: 20 }, () => tickets.releaseDueHolds('sweeper')));
      expect(numbers.reduce((sum, number) => sum + number)).toBe(200);
      await released(database, holds, '20 releases at once', 'api');
      expect(await database.sql(INVENTORY_MISMATCHES)).toEqual([]);
      expect(await database.sql('SELECT DISTINCT held, sold FROM quotas')).toEqual([{ held: 0, sold: 0 }]);
      await api.stop();
    });

    it('comes at its very time though nobody releases: payable before, lost after, and for sale again', async () => {
      const api = await startTestApi({ ...environment, REDIS_URL: DEAD_REDIS, HOLD_SECONDS: '2' });
      const scene = await openScene(api.create, 2);
      const [paidLate, neverPaid] = [await scene.reserve(), await scene.reserve()];
      const pay = ({ id }: Hold) => api.client.post(`/tickets/${id}/pay`);

      await sleep(Date.parse(paidLate.expires_at) - (await now(database)) - 400);
      expect(await pay(paidLate)).toMatchObject({ status: 200, body: { status: 'paid' } });
      await sleep(Date.parse(neverPaid.expires_at) - (await now(database)) + 1);
      expect(await pay(neverPaid)).toMatchObject({ status: 409, body: { code: 'ticket_not_payable' } });
      expect((await api.client.get(`/tickets/${neverPaid.id}`)).body.status).toBe('expired');
      expect(await unreleased(database)).toEqual([neverPaid.id]);

      await scene.reserve();
      await released(database, [neverPaid], 'the next reservation', 'api');
      expect(await database.sql(INVENTORY_MISMATCHES)).toEqual([]);
      await api.stop();
    });
  });
});
