import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import type { Settings } from '../../src/config/settings';
import { StartupError } from '../../src/config/startup-error';
import { isDiskFull } from '../../src/database/database-error';
import { placeOf } from '../../src/config/database-url';
import { LIST_CONNECTIONS } from '../../src/database/list-pool';
import { differences, READ_SETTINGS, REQUIRED, settingsFor } from '../../src/database/session-settings';
import { EXTENSIONS, TixxetyDataSource } from '../../src/database/tixxety-data-source';
import { plural, unchecked, type Finding } from './report';

const OLDEST = 15;
/** After which the driver no longer waits. */
const MOST_PATIENCE_MS = 3_000;

/**
 * Connects as a worker does, with its time limits.
 *
 * @throws {StartupError}
 */
export async function connect(settings: Settings): Promise<TixxetyDataSource> {
  const { DATABASE_URL, DATA_DIR } = settings;
  if (DATABASE_URL === undefined && !existsSync(join(DATA_DIR, 'postgres'))) {
    throw new StartupError(`DATA_DIR: there is no database in ${DATA_DIR} yet; \`npm start\` makes one.`);
  }
  const note = (message: string) => void process.stderr.write(`${message}\n`);
  return await new TixxetyDataSource(settings, 'worker', note).initialize();
}

export function outOfReach(error: Error): Finding {
  if (!isDiskFull(error)) return unchecked(error);
  return {
    status: 'wrong',
    message: `PostgreSQL has no room left on its disk (${error.message})`,
    advice: 'Make room there, or enlarge it; nothing needs a restart.',
  };
}

/** In milliseconds since 1970. */
export async function readClock(database: DataSource): Promise<number> {
  const [clock] = await database.query<[{ ms: number }]>(
    'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS ms',
  );
  return clock.ms;
}

export async function checkServer(database: TixxetyDataSource): Promise<Finding> {
  const [server] = await database.query<
    [{ version: string; encoding: string; standby: boolean; readOnly: boolean }]
  >(
    `SELECT split_part(current_setting('server_version'), ' ', 1) AS version, current_setting('server_encoding') AS encoding,
      pg_is_in_recovery() AS standby, current_setting('transaction_read_only') = 'on' AS "readOnly"`,
  );
  const message = `PostgreSQL ${server.version} at ${placeOf(database.url)}`;
  if (Number.parseInt(server.version) < OLDEST) {
    return {
      status: 'wrong',
      message: `${message} is too old`,
      advice: `Upgrade PostgreSQL to ${OLDEST} or newer.`,
    };
  }
  if (server.standby || server.readOnly) {
    return {
      status: 'wrong',
      message: `${message} ${server.standby ? 'is a standby and' : ''} takes no writes`.replace(/ +/g, ' '),
      advice: server.standby
        ? 'Point DATABASE_URL at the primary, or promote this one (SELECT pg_promote()).'
        : 'Undo default_transaction_read_only in postgresql.conf, of the role and of the database.',
    };
  }
  if (server.encoding !== 'UTF8') {
    return {
      status: 'wrong',
      message: `${message} stores text as ${server.encoding}, which has no room for every name`,
      advice: "Restore a dump into a new database: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0.",
    };
  }
  return { status: 'ok', message };
}

/** Names of which a locale may fold a letter in a way of its own, in capitals and as search has them. */
const CAPITALS = 'ISPARTA МОСКВА ŁÓDŹ ΣΊΣΥΦΟΣ';
const FOLDED = 'isparta москва łódź σίσυφοσ';

/** By which locale the database orders and folds text: e-mails and searches must not notice, its indexes do. */
export async function checkLocale(database: DataSource): Promise<Finding> {
  const [{ name, madeFor, now, canFold }] = await database.query<
    [{ name: string; madeFor: string | null; now: string | null; canFold: boolean }]
  >(
    `SELECT coalesce(to_jsonb(db) ->> 'datlocale', to_jsonb(db) ->> 'daticulocale', datctype) AS name,
      datcollversion AS "madeFor", pg_database_collation_actual_version(oid) AS now,
      to_regproc('fold_letters') IS NOT NULL AS "canFold"
    FROM pg_database AS db WHERE datname = current_database()`,
  );
  if (madeFor !== now) {
    return {
      status: 'wrong',
      message: `${name} is version ${now} of the system's locale, and the indexes were made by ${madeFor}: a row may not be found`,
      advice: 'REINDEX DATABASE; then ALTER DATABASE … REFRESH COLLATION VERSION.',
    };
  }
  const message = `${name}: e-mails and searches do not depend on it`;
  // Without the function migrations are pending, and that is said there.
  if (!canFold) return { status: 'ok', message };
  const [{ folded }] = await database.query<[{ folded: string }]>('SELECT fold_letters($1) AS folded', [
    CAPITALS,
  ]);
  if (folded === FOLDED) return { status: 'ok', message };
  return {
    status: 'wrong',
    message: `${name}: searches take ${CAPITALS} for ${folded}, and miss events`,
    advice:
      'Restore a dump on PostgreSQL 17 or newer, or one with ICU, where the migrations have made the collation "letters".',
  };
}

export async function checkExtensions(database: DataSource): Promise<Finding> {
  const rows = await database.query<{ name: string; installed: string | null }[]>(
    'SELECT name, installed_version AS installed FROM pg_available_extensions WHERE name = ANY ($1)',
    [EXTENSIONS],
  );
  const absent = EXTENSIONS.filter((extension) => !rows.some(({ name }) => name === extension));
  const unused = rows.filter(({ installed }) => installed === null).map(({ name }) => name);
  if (absent.length > 0) {
    return {
      status: 'wrong',
      message: `The server does not have ${absent.join(', ')}`,
      advice:
        "Install PostgreSQL's additional modules on it (Debian: part of postgresql; elsewhere: postgresql-contrib).",
    };
  }
  if (unused.length > 0) {
    return {
      status: 'wrong',
      message: `The database does not use ${unused.join(', ')}`,
      advice: 'Apply the migrations (npx tixxety migrate), as a role that may create extensions.',
    };
  }
  return { status: 'ok', message: EXTENSIONS.join(', ') };
}

export async function checkMigrations(database: DataSource): Promise<Finding> {
  const known = database.migrations.map(({ name, constructor }) => name ?? constructor.name);
  const [found] = await database.query<[{ table: string | null }]>(
    `SELECT to_regclass('migrations') AS "table"`,
  );
  const applied =
    found.table === null ? [] : await database.query<{ name: string }[]>('SELECT name FROM migrations');
  const names = applied.map(({ name }) => name);
  const pending = known.filter((name) => !names.includes(name));
  const unknown = names.filter((name) => !known.includes(name));
  if (pending.length > 0) {
    return {
      status: 'wrong',
      message: `${plural(pending.length, 'migration')} pending: ${pending.join(', ')}`,
      advice: 'npx tixxety migrate',
    };
  }
  if (unknown.length > 0) {
    return {
      status: 'warning',
      message: `This build does not know ${unknown.join(', ')}: a newer one has migrated the database`,
      advice: 'Roll out the newer build here too, or let it take them back (npx tixxety migrate revert).',
    };
  }
  return { status: 'ok', message: `${plural(names.length, 'migration')} applied, none pending` };
}

/** The settings that the sessions of this build really have, whatever stands in between. */
export async function checkSessions(database: DataSource, settings: Settings): Promise<Finding> {
  const wanted = { ...settingsFor('worker'), ...REQUIRED };
  const rows = await database.query<{ name: string; setting: string }[]>(READ_SETTINGS, [
    [...Object.keys(wanted), 'transaction_timeout'],
  ]);
  const session = Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
  const limits = ['statement_timeout', 'lock_timeout'] as const;
  const message = limits.map((name) => `${name} ${session[name]} ms`).join(', ');
  const isLimited = (name: string) => Number(session[name]) > 0 && Number(session[name]) <= MOST_PATIENCE_MS;
  if (!limits.every(isLimited)) {
    return {
      status: 'wrong',
      message: `${message}: a statement may outlast the request that waits for it`,
      advice:
        settings.DATABASE_POOLER === 'transaction'
          ? 'Set both where the pooler makes its sessions: connect_query in pgbouncer.ini (docs/OPERATIONS.md, PgBouncer).'
          : 'Something between here and PostgreSQL changes them: connect to PostgreSQL itself.',
    };
  }
  const { transaction_timeout = '0' } = session;
  const tooShort = isLimited('transaction_timeout')
    ? [`transaction_timeout is ${transaction_timeout} ms`]
    : [];
  const isOurs = settings.DATABASE_POOLER === 'none';
  const wrong = [...differences(isOurs ? wanted : REQUIRED, rows), ...tooShort];
  if (wrong.length > 0) {
    return {
      status: 'wrong',
      message: `${wrong.join(', ')}: statements would not do what they say`,
      advice: isOurs
        ? 'Set it back where the server, the database or the role sets it (ALTER DATABASE … RESET …).'
        : 'Set it back where the server, the database, the role or the pooler (connect_query) sets it.',
    };
  }
  return { status: 'ok', message };
}

export async function checkDurability(database: DataSource): Promise<Finding> {
  const off = await database.query<{ name: string }[]>(
    `SELECT name FROM pg_settings
    WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off' ORDER BY name`,
  );
  if (off.length === 0) return { status: 'ok', message: 'What is answered is on disk' };
  const names = off.map(({ name }) => name).join(' and ');
  return {
    status: 'wrong',
    message: `${names} off: a crash of the server can lose tickets that were paid`,
    advice: `Set ${names} to on in postgresql.conf (and not otherwise for the role or the database), and reload.`,
  };
}

export async function checkConnections(database: TixxetyDataSource, settings: Settings): Promise<Finding> {
  const [{ most, used }] = await database.query<[{ most: number; used: number }]>(
    `SELECT (SELECT sum(numbackends)::int FROM pg_stat_database) AS used, least(
      current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true)::int, 0),
      (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()),
      (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user)
    ) AS most`,
  );
  const perWorker = database.options.poolSize ?? 0;
  const perApi = perWorker + LIST_CONNECTIONS;
  const wanted = perApi * settings.WEB_CONCURRENCY + (settings.REDIS_URL === undefined ? 0 : perWorker);
  const message = `${used} of ${most} in use`;
  // A pooler is there to need fewer.
  if (settings.DATABASE_POOLER === 'none' && wanted > most) {
    return {
      status: 'wrong',
      message: `${message}, but these settings may take ${wanted}, ${perApi} an API process`,
      advice:
        'Raise max_connections, lower WEB_CONCURRENCY, or put PgBouncer in between (docs/OPERATIONS.md, PgBouncer).',
    };
  }
  if (used > 0.8 * most) {
    return {
      status: 'warning',
      message,
      advice:
        'Few are left: see who has them (pg_stat_activity), raise max_connections, or put PgBouncer in between.',
    };
  }
  return { status: 'ok', message };
}
