import type Redis from 'ioredis';
import type { Settings } from '../../src/config/settings';
import { EXPIRATION_QUEUE, redisPrefix } from '../../src/queue/job-types';
import { RedisClient } from '../../src/queue/redis-client';
import type { Finding } from './report';

const OLDEST = [6, 2] as const;
const FULL = 0.9;
/** Bull's keys that it can't work without, and their types. */
const KEY_TYPES = {
  delayed: 'zset',
  wait: 'list',
  active: 'list',
  completed: 'zset',
  failed: 'zset',
  id: 'string',
};

export type RedisInfo = Record<string, string>;

/**
 * Connects once, without trying again.
 *
 * @returns undefined where no Redis is used
 * @throws {Error} with the reason
 */
export async function connect({ REDIS_URL }: Settings): Promise<Redis | undefined> {
  if (REDIS_URL === undefined) return undefined;
  const client = new RedisClient(REDIS_URL, {
    lazyConnect: true,
    connectTimeout: 2_000,
    commandTimeout: 2_000,
    disconnectTimeout: 100, // it waits that long even for a connection that has ended
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let reason: Error | undefined;
  client.on('error', (error: Error) => (reason ??= error));
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.disconnect();
    throw reason ?? error;
  }
}

/** What the server tells of itself. */
export async function readInfo(client: Redis): Promise<RedisInfo> {
  const lines = (await client.info()).split('\r\n').filter((line) => line.includes(':'));
  return Object.fromEntries(lines.map((line) => line.split(/:(.*)/, 2) as [string, string]));
}

/** In milliseconds since 1970. */
export async function readClock(client: Redis): Promise<number> {
  const [seconds, microseconds] = await client.time();
  return Number(seconds) * 1_000 + Number(microseconds) / 1_000;
}

export function outOfReach({ message }: Error): Finding {
  return {
    status: 'wrong',
    message: `Can not be used (${message}): holds end by sweeping until there is one`,
    advice: 'Start Redis, or correct REDIS_URL; without REDIS_URL the API needs none.',
  };
}

export function checkServer({ redis_version = '0', role }: RedisInfo, { options }: Redis): Finding {
  const message = `Redis ${redis_version} at ${options.host}:${options.port}`;
  const [major = 0, minor = 0] = redis_version.split('.').map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    return {
      status: 'wrong',
      message: `${message} is too old`,
      advice: `Upgrade it to ${OLDEST.join('.')} or newer.`,
    };
  }
  if (role !== 'master') {
    return {
      status: 'wrong',
      message: `${message} is a replica and takes no writes`,
      advice: 'Point REDIS_URL at its master.',
    };
  }
  return { status: 'ok', message };
}

export function checkMemory({ maxmemory_policy, maxmemory, used_memory }: RedisInfo): Finding {
  const [most, used] = [Number(maxmemory), Number(used_memory)];
  const inMb = (bytes: number) => `${Math.ceil(bytes / 1024 ** 2)} MB`;
  const message = `${inMb(used)} of ${most > 0 ? inMb(most) : 'no limit'} in use, ${maxmemory_policy}`;
  if (maxmemory_policy !== 'noeviction') {
    return {
      status: 'wrong',
      message: `${message}: when memory is short, Redis throws Bull's jobs away`,
      advice: 'CONFIG SET maxmemory-policy noeviction, and the same in redis.conf.',
    };
  }
  if (most > 0 && used > FULL * most) {
    return {
      status: 'warning',
      message: `${message}: nearly full, and a full one takes no jobs (holds then end by sweeping)`,
      advice: 'Raise maxmemory, or find what else fills it (redis-cli --bigkeys).',
    };
  }
  return { status: 'ok', message };
}

export function checkPersistence(info: RedisInfo): Finding {
  const failed = [
    info.rdb_last_bgsave_status === 'err' && 'its last snapshot',
    info.aof_last_write_status === 'err' && 'its last write to the append-only file',
  ].filter(Boolean);
  if (failed.length > 0) {
    return {
      status: 'wrong',
      message: `Redis failed at ${failed.join(' and ')}, and refuses writes until that succeeds`,
      advice: 'Make room on its disk, or let it write to its folder (its log tells which).',
    };
  }
  if (info.aof_enabled !== '1') {
    return {
      status: 'warning',
      message: 'No append-only file: jobs are gone after a restart, and holds then end by sweeping',
      advice: 'CONFIG SET appendonly yes, and the same in redis.conf.',
    };
  }
  return { status: 'ok', message: 'Append-only file' };
}

/** A key of another type under one of Bull's names stops Bull for as long as it is there. */
export async function checkKeys(client: Redis, installation: string): Promise<Finding> {
  const prefix = `${redisPrefix(installation)}:${EXPIRATION_QUEUE}`;
  const names = Object.entries(KEY_TYPES);
  const types = await Promise.all(names.map(([name]) => client.type(`${prefix}:${name}`)));
  const strange = names.flatMap(([name, expected], i) =>
    types[i] === expected || types[i] === 'none'
      ? []
      : [{ message: `${prefix}:${name} is a ${types[i]}, not a ${expected}` }],
  );
  if (strange.length === 0) return { status: 'ok', message: `${prefix}:* are as Bull made them` };
  return {
    status: 'wrong',
    message: 'Something else writes to the keys of Bull, which can not work with them',
    details: strange,
    advice: 'Delete those keys (DEL), and give whatever writes them a Redis or a database of its own.',
  };
}
