import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Redis from 'ioredis';
import { EXPIRATION_QUEUE } from '../../../src/queue/job-types';
import { redisPrefixOf } from '../../support/redis-prefix';
import { p99Of, type Stage } from '../stage';
import type { Fault } from './fault';
import { within, type Finding } from './finding';

/** A machine that others share may be slower for a moment by itself. */
const SLOWER_BY_MS = { full: 50, brief: 250 };

const flushAll: Fault = {
  name: 'redis-flushall',
  family: 'redis',
  about: 'Redis forgets everything (FLUSHALL)',
  strike: (stage) =>
    doWithout(stage, {
      strike: () => withRedis(stage, (redis) => redis.flushall()),
      last: () => stage.wait(4_000, 2_500),
    }),
};

const outage: Fault = {
  name: 'redis-outage',
  family: 'redis',
  about: 'Redis is gone for half a minute',
  strike: (stage) =>
    doWithout(stage, {
      strike: () => stage.system.redis.kill(),
      last: () => stage.wait(30_000, 3_000),
      heal: () => stage.system.redis.start(),
    }),
};

const silence: Fault = {
  name: 'redis-silence',
  family: 'redis',
  about: 'Redis keeps its connections and answers nothing for half a minute',
  strike: (stage) =>
    doWithout(stage, {
      strike: () => stage.system.redis.signal('SIGSTOP'),
      last: () => stage.wait(30_000, 3_000),
      heal: () => stage.system.redis.signal('SIGCONT'),
    }),
};

const full: Fault = {
  name: 'redis-full',
  family: 'redis',
  about: 'Redis has no memory left (maxmemory, noeviction)',
  strike: (stage) =>
    doWithout(stage, {
      strike: () => withRedis(stage, (redis) => redis.config('SET', 'maxmemory', '1')),
      last: () => stage.wait(10_000, 3_000),
      heal: () => withRedis(stage, (redis) => redis.config('SET', 'maxmemory', '0')),
    }),
};

const wrongType: Fault = {
  name: 'redis-wrong-type',
  family: 'redis',
  about: 'something else wrote to our keys in Redis: all are of another type',
  strike: (stage) =>
    doWithout(stage, {
      strike: async () => {
        const prefix = await redisPrefixOf(stage.system.postgres);
        await withRedis(stage, (redis) => spoil(redis, prefix));
      },
      last: () => stage.wait(10_000, 3_000),
      heal: async () => {
        const prefix = await redisPrefixOf(stage.system.postgres);
        await withRedis(stage, (redis) => redis.del(...queueKeys(prefix), ...rateLimitKeys(prefix)));
      },
    }),
};

const password: Fault = {
  name: 'redis-password',
  family: 'redis',
  about: 'Redis wants a password that nobody was told, and breaks all connections',
  strike: (stage) =>
    doWithout(stage, {
      strike: () =>
        withRedis(stage, async (redis) => {
          await redis.config('SET', 'requirepass', PASSWORD);
          await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
          await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
        }),
      last: () => stage.wait(10_000, 3_000),
      heal: () => withRedis(stage, (redis) => redis.config('SET', 'requirepass', ''), PASSWORD),
    }),
};

const deletedUser: Fault = {
  name: 'redis-user',
  family: 'redis',
  about: 'the user as whom the workers sign in to Redis is deleted, then made again',
  strike: async (stage) => {
    const { redis, workers, logs } = stage.system;
    const addUser = () =>
      withRedis(stage, (redis) =>
        redis.call('ACL', 'SETUSER', USER, 'reset', 'on', `>${USERS_PASSWORD}`, '~*', '&*', '+@all'),
      );
    const url = Object.assign(new URL(redis.url), { username: USER, password: USERS_PASSWORD }).href;
    await addUser();
    await Promise.all(workers.map((worker) => worker.restart({ environment: { REDIS_URL: url } })));
    const before = workers.map(({ current }) => current.pid);
    const findings = await doWithout(stage, {
      // Redis closes the connections of whom it no longer knows.
      strike: () => withRedis(stage, (redis) => redis.call('ACL', 'DELUSER', USER)),
      last: () => stage.wait(10_000, 3_000),
      heal: addUser,
    });
    const running = workers.filter(({ isRunning, current }, i) => isRunning && current.pid === before[i]);
    const tellTales = workers.filter(({ name }) =>
      readFileSync(join(logs, `${name}.log`), 'utf8').includes(USERS_PASSWORD),
    );
    await Promise.all(workers.map((worker) => worker.restart()));
    return [
      ...findings,
      {
        mustHold: 'no worker ends',
        measured: `${running.length} of ${workers.length} run`,
        isOk: running.length === workers.length,
      },
      {
        mustHold: 'no log has the password',
        measured: `${tellTales.length} of ${workers.length} have it`,
        isOk: tellTales.length === 0,
      },
    ];
  },
};

export const REDIS_FAULTS: readonly Fault[] = [
  flushAll,
  outage,
  silence,
  full,
  wrongType,
  password,
  deletedUser,
];

const PASSWORD = 'what-nobody-was-told';
const USER = 'tixxety-worker';
const USERS_PASSWORD = 'what-the-workers-were-told';

interface Trouble {
  strike: () => unknown;
  /** While Redis is of no use. */
  last: () => Promise<void>;
  heal?: () => unknown;
}

/** A fault of Redis must not be noticed by any customer who books. */
async function doWithout(stage: Stage, { strike, last, heal }: Trouble): Promise<Finding[]> {
  const calm = await stage.callsWhile(() => stage.wait(4_000, 2_000));
  const overdue: number[] = [];
  const struck = await stage.callsWhile(async () => {
    const most = await stage.mostOverdueWhile(async () => {
      await strike();
      await last();
      await heal?.();
    });
    overdue.push(most);
  });
  const failed = struck.filter(({ outcome }) => outcome === 'unknown');
  const slower = p99Of(struck) - p99Of(calm);
  const limit = stage.isFull ? SLOWER_BY_MS.full : SLOWER_BY_MS.brief;
  return [
    {
      mustHold: 'no booking fails',
      measured: `${failed.length} of ${struck.length}`,
      isOk: failed.length === 0,
    },
    {
      mustHold: `p99 grows by at most ${limit} ms`,
      measured: `${slower.toFixed(0)} ms, to ${p99Of(struck).toFixed(0)} ms`,
      isOk: slower <= limit,
    },
    within('holds end', Math.max(...overdue), 2_000),
    await stage.bullTakesOver(),
  ];
}

/** Each with a type that Bull does not have there. */
const QUEUE_KEYS = [
  'delayed',
  'wait',
  'active',
  'failed',
  'completed',
  'priority',
  'id',
  'stalled',
  'limiter',
];

const queueKeys = (prefix: string) => QUEUE_KEYS.map((name) => `${prefix}:${EXPIRATION_QUEUE}:${name}`);

/** Those of the present minute and its neighbours. */
function rateLimitKeys(prefix: string): string[] {
  const minute = Math.floor(Date.now() / 60_000);
  return [-1, 0, 1].map((step) => `${prefix}:rate-limit:${minute + step}`);
}

async function spoil(redis: Redis, prefix: string): Promise<void> {
  for (const key of queueKeys(prefix)) {
    await redis.del(key);
    // The one that is text to Bull.
    if (key.endsWith(':id')) await redis.rpush(key, 'not ours');
    else await redis.set(key, 'not ours');
  }
  for (const key of rateLimitKeys(prefix)) await redis.set(key, 'not ours');
}

async function withRedis(
  stage: Stage,
  work: (redis: Redis) => Promise<unknown>,
  password?: string,
): Promise<void> {
  const redis = new Redis(stage.system.redis.url, { password });
  try {
    await work(redis);
  } finally {
    redis.disconnect();
  }
}
