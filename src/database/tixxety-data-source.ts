import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { DataSource, type Migration, type QueryRunner, type ReplicationMode } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import type { Settings } from '../config/settings';
import { StartupError } from '../config/startup-error';
import { connectionError, POOLER } from './connection-error';
import { connectionOptions, type Role } from './connection-options';
import { ListPool } from './list-pool';
import { differences, LIMITS, READ_SETTINGS, REQUIRED } from './session-settings';
import { INSTALLATION } from './installation-id';
import { Transactions } from './transactions';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded/embedded-postgres';

/** Any number that no other program would lock on the same database. */
const MIGRATION_LOCK = 7_499_001;

/** What the migrations install. */
export const EXTENSIONS = ['btree_gist', 'cube', 'unaccent'];

interface Setting {
  name: string;
  setting: string;
}

const load = createRequire(__filename);

/** The one description of the database: the API, the worker, the tools and the TypeORM CLI all connect through it. */
export class TixxetyDataSource extends DataSource {
  /** The transactions that calls on this data source take part in. */
  readonly transactions = new Transactions(() => super.createQueryRunner('master'));
  /** The name of this database among those that share a Redis; known once connected. */
  installation = '';
  /** The connections of lists; there once connected. */
  lists: ListPool;
  private embedded?: EmbeddedPostgres;

  constructor(
    private readonly settings: Settings,
    private readonly role: Role,
    private readonly say: (message: string) => void = () => undefined,
    private readonly stopped?: AbortSignal,
  ) {
    super({
      type: 'postgres',
      ...connectionOptions(settings, role, say),
      entities: classesIn('..', /\.entity\.[jt]s$/),
      migrations: classesIn('../../migrations', /^\d+-[^.]+\.[jt]s$/),
      migrationsTransactionMode: 'each',
      logger: 'debug', // the other prints an error that is thrown as well
      installExtensions: false, // the migrations do; a connection must change nothing
      parseInt8: true,
      poolSize: 10,
      poolErrorHandler: () => undefined, // an idle connection that breaks is replaced by the next query
    });
  }

  /**
   * Connects; where no `DATABASE_URL` is set, starts the embedded PostgreSQL first.
   *
   * @throws {StartupError} when there is no database to be had
   */
  override async initialize(): Promise<this> {
    if (this.settings.DATABASE_URL === undefined) {
      this.embedded = await startEmbeddedPostgres({
        dataDir: this.settings.DATA_DIR,
        exclusive: this.role === 'api',
        say: this.say,
        stopped: this.stopped,
      });
      this.setOptions({ url: this.embedded.url, database: 'tixxety' });
    }
    try {
      await super.initialize();
      this.lists = new ListPool(this.pool, this.settings.DATABASE_POOLER === 'none');
      if (hasSessionSettings(this.settings, this.role)) await this.requireSessions();
      await this.requireExtensions();
      const [{ name }] = await this.query<[{ name: string }]>(INSTALLATION);
      this.installation = name;
      return this;
    } catch (error) {
      if (this.isInitialized) await super.destroy();
      await this.embedded?.stop();
      throw connectionError(error, this.url);
    }
  }

  /** TypeORM takes every connection from here. */
  override createQueryRunner(mode?: ReplicationMode): QueryRunner {
    return this.transactions.runner ?? super.createQueryRunner(mode);
  }

  /** The connections of everything but lists, once connected. */
  get pool(): Pool {
    return (this.driver as PostgresDriver).master as Pool;
  }

  /** Where the database is, once connected. */
  get url(): string {
    return this.embedded?.url ?? this.settings.DATABASE_URL ?? '';
  }

  override async destroy(): Promise<void> {
    await this.lists.pool.end();
    await super.destroy();
    await this.embedded?.stop();
  }

  /** Applies what is pending. Of several processes that do so at once, one works and the others wait for it. */
  override async runMigrations(options?: Parameters<DataSource['runMigrations']>[0]): Promise<Migration[]> {
    return await this.locked(() => super.runMigrations(options));
  }

  /** Whether any are pending. TypeORM would make its table on the way, and two processes that do so at once collide. */
  override async showMigrations(): Promise<boolean> {
    const [found] = await this.query<{ table: string | null }[]>(
      `SELECT to_regclass('migrations') AS "table"`,
    );
    return found?.table == null || (await super.showMigrations());
  }

  override async undoLastMigration(options?: Parameters<DataSource['undoLastMigration']>[0]): Promise<void> {
    await this.locked(() => super.undoLastMigration(options));
  }

  /**
   * What a pooler in between may not have passed on, or a server may tell all sessions.
   *
   * @throws {StartupError} where a statement would not mean what it says
   */
  async requireMeaning(): Promise<void> {
    const rows = await this.query<Setting[]>(READ_SETTINGS, [Object.keys(REQUIRED)]);
    const wrong = differences(REQUIRED, rows);
    if (wrong.length > 0) throw new StartupError(`DATABASE_URL: ${wrong.join(', ')}: ${MEANING_WAY_OUT}`);
  }

  /** What a pooler was told to ignore did not reach the session: then a statement prepared there would be lost too. */
  private async requireSessions(): Promise<void> {
    const { statement_timeout } = LIMITS;
    const rows = await this.query<Setting[]>(READ_SETTINGS, [['statement_timeout']]);
    if (differences({ statement_timeout }, rows).length > 0) throw new StartupError(POOLER);
  }

  /** Where they are not found, `CREATE EXTENSION IF NOT EXISTS` does nothing and what needs them fails. */
  private async requireExtensions(): Promise<void> {
    const [hidden] = await this.query<{ name: string; schema: string }[]>(
      `SELECT extname AS name, nspname AS schema FROM pg_extension
      JOIN pg_namespace ON pg_namespace.oid = extnamespace
      WHERE extname = ANY ($1) AND nspname <> ALL (current_schemas(true))`,
      [EXTENSIONS],
    );
    if (hidden) throw new StartupError(hiddenExtension(hidden.name, hidden.schema));
  }

  /** The lock belongs to a transaction, which even a pooler keeps on one session; it goes with the process if that is killed. */
  private async locked<Result>(work: () => Promise<Result>): Promise<Result> {
    return await this.transaction(async (lock) => {
      await lock.query(
        'SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0',
      );
      await lock.query(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
      return await work();
    });
  }
}

/**
 * What the files of a folder, and of those in it, export. (A glob of TypeORM's is looked for from the folder that it has
 * in common with the working folder: where one in between may not be listed it finds nothing, and says nothing.)
 */
function classesIn(folder: string, name: RegExp): (new () => object)[] {
  const path = join(__dirname, folder);
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((file) => name.test(file))
    .flatMap((file) => Object.values(load(join(path, file)) as Record<string, unknown>))
    .filter((value) => typeof value === 'function') as (new () => object)[];
}

const hasSessionSettings = (settings: Settings, role: Role) =>
  role !== 'tool' && settings.DATABASE_POOLER === 'none';

const MEANING_WAY_OUT =
  'set it back where the server, the database or the role sets it (ALTER DATABASE … RESET …), or where a pooler makes ' +
  'its sessions (connect_query in pgbouncer.ini).';

const hiddenExtension = (name: string, schema: string) =>
  `DATABASE_URL: the extension ${name} is in the schema ${schema}, which is not on the search path: put it there, such ` +
  `as with ?options=-c%20search_path%3Dpublic,${schema}, or with ALTER DATABASE … SET search_path.`;
