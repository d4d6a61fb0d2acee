import type Redis from 'ioredis';
import { secretFingerprint } from '../../src/auth/secret-fingerprint';
import type { Settings } from '../../src/config/settings';
import { TixxetyDataSource } from '../../src/database/tixxety-data-source';
import { RedisClient } from '../../src/queue/redis-client';
import { checkAdmins } from './admins';
import { checkClocks, type Clock } from './clocks';
import type { SeatsOptions } from './count-places';
import { checkGate } from './gate';
import { checkLimits } from './limits';
import { checkMoney } from './money';
import { checkOrphans } from './orphans';
import { checkOutbox } from './outbox';
import * as postgres from './postgres';
import { checkProvider } from './provider';
import * as redis from './redis';
import { unchecked, type Finding, type Report } from './report';
import { checkHolds, checkSeats, hasSeats } from './seats';

/** `provider`: the payment provider is asked, too. */
type DoctorOptions = SeatsOptions & { provider?: boolean };

/** Makes every check that can be made, from the ground up, and hands what it finds to `report`. */
export async function examine(report: Report, read: () => Settings, options: DoctorOptions): Promise<void> {
  const settings = await attempt(read);
  await report.add('settings', settings instanceof Error ? unchecked(settings) : checkSettings(settings));
  if (settings instanceof Error) return;
  const database = await attempt(() => postgres.connect(settings));
  const client = await attempt(() => redis.connect(settings));
  try {
    await examinePostgres(report, settings, database);
    await examineRedis(report, client, database);
    await examineClocks(report, database, client);
    if (database instanceof TixxetyDataSource) await examineSeats(report, settings, database, options);
  } finally {
    if (client instanceof RedisClient) client.disconnect();
    if (database instanceof TixxetyDataSource) await database.destroy();
  }
}

/** What it gives, or why there is none. */
async function attempt<Result>(work: () => Result | Promise<Result>): Promise<Result | Error> {
  try {
    return await work();
  } catch (error) {
    return error as Error;
  }
}

function checkSettings({ NODE_ENV, DATABASE_URL, REDIS_URL, DATA_DIR, JWT_SECRET }: Settings): Finding {
  const database = DATABASE_URL === undefined ? `an embedded PostgreSQL in ${DATA_DIR}` : 'DATABASE_URL';
  const known =
    JWT_SECRET === undefined ? '' : `, JWT_SECRET ${JWT_SECRET.map(secretFingerprint).join(', ')}`;
  const message = `${NODE_ENV}, ${database}, ${REDIS_URL === undefined ? 'no Redis' : 'REDIS_URL'}${known}`;
  if (NODE_ENV === 'production' && JWT_SECRET === undefined) {
    return {
      status: 'wrong',
      message: `${message}, no JWT_SECRET: no API starts`,
      advice: 'Set JWT_SECRET to what `openssl rand -base64 32` makes, the same for every API process.',
    };
  }
  if (NODE_ENV === 'production' && DATABASE_URL === undefined) {
    return {
      status: 'warning',
      message: `${message}: one machine has the only copy of every ticket`,
      advice: 'Set DATABASE_URL to a PostgreSQL that is backed up and replicated (docs/OPERATIONS.md).',
    };
  }
  return { status: 'ok', message };
}

async function examinePostgres(
  report: Report,
  settings: Settings,
  database: TixxetyDataSource | Error,
): Promise<void> {
  if (database instanceof Error) {
    await report.add('postgresql', postgres.outOfReach(database));
    return;
  }
  await report.add('postgresql', postgres.checkServer(database));
  await report.add('locale', postgres.checkLocale(database));
  await report.add('extensions', postgres.checkExtensions(database));
  await report.add('migrations', postgres.checkMigrations(database));
  await report.add('sessions', postgres.checkSessions(database, settings));
  await report.add('durability', postgres.checkDurability(database));
  await report.add('connections', postgres.checkConnections(database, settings));
}

async function examineRedis(
  report: Report,
  client: Redis | Error | undefined,
  database: TixxetyDataSource | Error,
): Promise<void> {
  if (client === undefined) {
    await report.add('redis', { status: 'ok', message: 'Not used: holds end inside the API' });
    return;
  }
  const info = client instanceof Error ? client : await attempt(() => redis.readInfo(client));
  if (client instanceof Error || info instanceof Error) {
    await report.add('redis', redis.outOfReach(info as Error));
    return;
  }
  await report.add('redis', redis.checkServer(info, client));
  await report.add('redis-memory', redis.checkMemory(info));
  await report.add('redis-persistence', redis.checkPersistence(info));
  if (database instanceof TixxetyDataSource) {
    await report.add('redis-keys', redis.checkKeys(client, database.installation));
  }
}

async function examineClocks(
  report: Report,
  database: TixxetyDataSource | Error,
  client: Redis | Error | undefined,
): Promise<void> {
  const clocks: Record<string, Clock> = {};
  if (database instanceof TixxetyDataSource) clocks.PostgreSQL = () => postgres.readClock(database);
  if (client instanceof RedisClient) clocks.Redis = () => redis.readClock(client);
  if (Object.keys(clocks).length > 0) await report.add('clocks', checkClocks(clocks));
}

async function examineSeats(
  report: Report,
  settings: Settings,
  database: TixxetyDataSource,
  options: DoctorOptions,
): Promise<void> {
  // Without tables the migrations are pending, and that has been said.
  if (!(await hasSeats(database))) return;
  await report.add('holds', checkHolds(database, settings.REDIS_URL !== undefined));
  await report.add('seats', checkSeats(database, options));
  await report.add('limits', checkLimits(database, options));
  await report.add('orphans', checkOrphans(database, options));
  await report.add('gate', checkGate(database, options));
  await report.add('money', checkMoney(database, options));
  if (options.provider) await report.add('provider', checkProvider(database, settings, options));
  await report.add('outbox', checkOutbox(database));
  await report.add('admins', checkAdmins(database, settings));
}
