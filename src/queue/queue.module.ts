import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { BullModule, getQueueToken } from '@nestjs/bull';
import { Module, type DynamicModule } from '@nestjs/common';
import type { Queue } from 'bull';
import type Redis from 'ioredis';
import type { Settings } from '../config/settings';
import { BullWakeUpSender } from './bull-wake-up-sender';
import { EXPIRATION_QUEUE, redisPrefix } from './job-types';
import { RedisClient } from './redis-client';
import { RedisHealth } from './redis-health';
import { NoWakeUpSender, WakeUpSender } from './wake-up-sender';

const CLOSE_LIMIT_MS = 2_000;
/** For people who look at the queue. */
const KEPT_FAILURES = 100;

/** The way to the queue: Bull where there is a Redis, nothing where there is none. */
@Module({})
export class QueueModule {
  /** @param installation the name of the database, for the keys in Redis */
  static register({ REDIS_URL }: Settings, installation: string): DynamicModule {
    if (REDIS_URL === undefined) {
      const sender = { provide: WakeUpSender, useClass: NoWakeUpSender };
      return { module: QueueModule, global: true, providers: [sender], exports: [WakeUpSender] };
    }
    const clients: RedisClient[] = [];
    const queue = BullModule.registerQueue({
      name: EXPIRATION_QUEUE,
      prefix: redisPrefix(installation),
      createClient: (type) => {
        const client = createClient(REDIS_URL, type);
        clients.push(client);
        return client;
      },
      // How soon a worker looks for jobs again once Redis is back.
      settings: { retryProcessDelay: 1_000, guardInterval: 1_000 },
      // Kept jobs would pile up. An id that is kept can't be sent again, but that of a failed job lies in the past.
      defaultJobOptions: { removeOnComplete: true, removeOnFail: KEPT_FAILURES },
    });
    return {
      module: QueueModule,
      global: true,
      imports: [queue],
      providers: [
        { provide: WakeUpSender, useClass: BullWakeUpSender },
        {
          provide: RedisHealth,
          useFactory: (queue: Queue) => watch(queue, clients),
          inject: [getQueueToken(EXPIRATION_QUEUE)],
        },
      ],
      exports: [WakeUpSender, RedisHealth, queue],
    };
  }
}

function createClient(url: string, type: 'client' | 'subscriber' | 'bclient'): RedisClient {
  const patience = {
    retryStrategy: (attempt: number) => Math.min(attempt * 100, 1_000),
    connectTimeout: 2_000,
    disconnectTimeout: 500,
  };
  // Bull refuses blocking clients that give up on a request or ask whether Redis is ready.
  return type === 'client'
    ? new RedisClient(url, { ...patience, maxRetriesPerRequest: 1 })
    : new RedisClient(url, { ...patience, maxRetriesPerRequest: null, enableReadyCheck: false });
}

/** Listens for what fails, and keeps a shutdown from waiting for Redis. */
function watch(
  queue: Queue & { onApplicationShutdown?: () => Promise<void> },
  clients: RedisClient[],
): RedisHealth {
  const health = new RedisHealth(queue.client);
  queue.on('error', (error: Error) => health.failed(error));
  queue.onApplicationShutdown = async () => {
    const limit = new AbortController();
    const tooLong = sleep(CLOSE_LIMIT_MS, undefined, { signal: limit.signal });
    // Bull stumbles over a connection that ends before it was either made or refused.
    await Promise.race([Promise.all(clients.map(connectedOrRefused)), tooLong]);
    await Promise.race([queue.close(queue.client.status !== 'ready'), tooLong]);
    limit.abort();
    // Bull does not close clients that it has not created. While it still waits for one to connect, the client's end would
    // be an uncaught error.
    for (const client of clients) client.removeAllListeners('end').abandon();
  };
  return health;
}

/** Resolves once the connection is made or refused. */
async function connectedOrRefused(client: Redis): Promise<void> {
  if (client.status.startsWith('connect')) await once(client, 'ready').catch(() => undefined);
}
