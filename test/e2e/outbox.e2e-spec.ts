import { setTimeout as sleep } from 'node:timers/promises';
import { Test, type TestingModule } from '@nestjs/testing';
import { WorkerModule } from '../../src/app.module';
import { TixxetyDataSource } from '../../src/database/tixxety-data-source';
import { Transactions } from '../../src/database/transactions';
import { OutboxService, type Message } from '../../src/jobs/outbox.service';
import { Relay, RELAY_INTERVAL } from '../../src/jobs/relay';
import { startTestApi, type TestApi } from '../support/api';
import { createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { ownRedis, type OwnRedis } from '../support/redis';
import { describeWithRedis } from '../support/with-redis';

const TOPIC = 'test.change';

describe('the outbox', () => {
  let database: TestDatabase;
  let apis: TestApi[];
  let handled: (Message & { by: number })[];
  let handle: (message: Message, by: number) => Promise<void>;

  beforeAll(async () => {
    database = await createDatabase();
    apis = await Promise.all([1, 2].map(() => startTestApi({ DATABASE_URL: database.url })));
    apis.forEach(({ app }, by) =>
      app.get(OutboxService, { strict: false }).handle(TOPIC, async (message) => {
        handled.push({ ...message, by });
        await handle(message, by);
      }),
    );
  });
  beforeEach(async () => {
    handled = [];
    handle = () => Promise.resolve();
    await database.sql('TRUNCATE outbox');
  });
  afterAll(async () => {
    for (const api of apis) await api.stop();
    await database.drop();
  });

  const outbox = () => (apis[0] as TestApi).app.get(OutboxService, { strict: false });
  const transactions = () => (apis[0] as TestApi).app.get(Transactions, { strict: false });
  const relays = () => apis.map(({ app }) => app.get(Relay, { strict: false }));
  const rows = () => database.sql(`SELECT * FROM outbox ORDER BY id`);
  const add = (payload: object) => transactions().run(() => outbox().add(TOPIC, payload));
  /** Lets the pause or the lease of every message be over. */
  const pass = () => database.sql(`UPDATE outbox SET due_at = now() WHERE NOT is_dead`);

  it('sends what a committed transaction left, and forgets it once it is done', async () => {
    await add({ n: 1 });
    await eventually(() => expect(handled).toHaveLength(1));
    expect(handled[0]).toMatchObject({ id: expect.any(Number), payload: { n: 1 }, attempt: 1 });
    await eventually(async () => expect(await rows()).toEqual([]));
  });

  it('sends nothing of a transaction that is rolled back, nor of a savepoint', async () => {
    const undone = transactions().run(async () => {
      await outbox().add(TOPIC, { n: 'transaction' });
      throw new Error('no');
    });
    await expect(undone).rejects.toThrow('no');
    await transactions().run(async () => {
      const part = transactions().savepoint(async () => {
        await outbox().add(TOPIC, { n: 'savepoint' });
        throw new Error('no');
      });
      await expect(part).rejects.toThrow('no');
      await outbox().add(TOPIC, { n: 'kept' });
    });
    await eventually(() => expect(handled.map(({ payload }) => payload)).toEqual([{ n: 'kept' }]));
    await eventually(async () => expect(await rows()).toEqual([]));
  });

  it('takes nothing outside of a transaction, whose rollback it could not follow', async () => {
    await expect(outbox().add(TOPIC, {})).rejects.toThrow(/needs the transaction/);
  });

  it('gives each of many messages to one of two relays, once', async () => {
    await transactions().run(async () => {
      for (let n = 0; n < 60; n++) await outbox().add(TOPIC, { n });
    });
    await Promise.all(relays().flatMap((relay) => [relay.run(), relay.run()]));
    await eventually(async () => expect(await rows()).toEqual([]));
    expect(handled).toHaveLength(60);
    expect(new Set(handled.map(({ id }) => id)).size).toBe(60);
  });

  it('tries a message again that fails, under the same key, and lets others pass meanwhile', async () => {
    handle = ({ payload, attempt }) =>
      (payload as { n: number }).n === 1 && attempt < 3
        ? Promise.reject(new Error('not yet'))
        : Promise.resolve();
    await add({ n: 1 });
    await add({ n: 2 });
    await eventually(async () =>
      expect(await rows()).toMatchObject([{ attempts: 1, last_error: 'not yet' }]),
    );
    await eventually(async () => {
      await pass();
      expect(await rows()).toEqual([]);
    });
    const tries = handled.filter(({ payload }) => (payload as { n: number }).n === 1);
    expect(tries.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(new Set(tries.map(({ id }) => id)).size).toBe(1);
  });

  it('keeps a dead letter of what fails too often, with the reason, and leaves it alone', async () => {
    handle = () => Promise.reject(new Error('never'));
    await add({ n: 1 });
    await eventually(async () => expect(await rows()).toMatchObject([{ attempts: 1 }]));
    await database.sql('UPDATE outbox SET attempts = 79, due_at = now()');
    await eventually(async () =>
      expect(await rows()).toMatchObject([{ attempts: 80, is_dead: true, last_error: 'never' }]),
    );
    const tries = handled.length;
    await Promise.all(relays().map((relay) => relay.run()));
    expect(handled).toHaveLength(tries);
    expect(await outbox().countBacklog()).toMatchObject({ dead: 1, due: 0, waiting: 0 });
  });

  it('takes over what a relay that is gone has left, and a late end of that one changes nothing', async () => {
    let letGo: () => void = () => undefined;
    const stuck = new Promise<void>((resolve) => (letGo = resolve));
    handle = ({ attempt }) => (attempt === 1 ? stuck : Promise.reject(new Error('again')));
    await add({ n: 1 });
    await eventually(() => expect(handled).toHaveLength(1));
    // The lease ends: the one that sticks still believes the message to be its own.
    await pass();
    await eventually(async () => {
      await Promise.all(relays().map((relay) => Promise.race([relay.run(), sleep(10)])));
      expect(await rows()).toMatchObject([{ attempts: 2, last_error: 'again' }]);
    });
    letGo();
    await sleep(50);
    expect(await rows()).toMatchObject([{ attempts: 2 }]);
  });

  it('leaves a topic that nothing here handles to others', async () => {
    await transactions().run(() => outbox().add('test.unknown', {}));
    await Promise.all(relays().map((relay) => relay.run()));
    expect(await rows()).toMatchObject([{ topic: 'test.unknown', attempts: 0 }]);
  });
});

describeWithRedis('the outbox, beside Bull', () => {
  let redis: OwnRedis;
  let api: TestApi;
  let worker: TestingModule;
  const handled: Message[] = [];

  beforeAll(async () => {
    redis = await ownRedis();
    api = await startTestApi({ REDIS_URL: redis.url });
    // It looks by itself once an hour: anything delivered before then, Bull has woken it for.
    worker = await Test.createTestingModule({
      imports: [
        WorkerModule.register(api.settings, await new TixxetyDataSource(api.settings, 'worker').initialize()),
      ],
    })
      .overrideProvider(RELAY_INTERVAL)
      .useValue(3_600_000)
      .compile();
    worker.get(OutboxService, { strict: false }).handle(TOPIC, (message) => {
      handled.push(message);
      return Promise.resolve();
    });
    await worker.init();
  });
  afterAll(async () => {
    await worker.close();
    await api.stop();
    await redis.stop();
  });

  it('is worked off by a worker that the commit wakes', async () => {
    const transactions = api.app.get(Transactions, { strict: false });
    const outbox = api.app.get(OutboxService, { strict: false });
    await transactions.run(() => outbox.add(TOPIC, { n: 1 }));
    await eventually(() => expect(handled).toMatchObject([{ payload: { n: 1 }, attempt: 1 }]));
  });
});
