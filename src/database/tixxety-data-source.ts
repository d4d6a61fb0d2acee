import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { DataSource, type Migration, type QueryRunner, type ReplicationMode } from 'typeorm';
import type { Settings } from '../config/settings';
import { StartupError } from '../config/startup-error';
import { breakOffUseless } from './connections';
import { Transactions } from './transactions';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded/embedded-postgres';

/** Any number that no other program would lock on the same database. */
const MIGRATION_LOCK = 7_499_001;

/**
 * The kind of process that connects. A server answers people, so its statements have time limits; a tool may take as long as it
 * needs. Of the APIs only one may have an embedded database to itself.
 */
export type Role = 'api' | 'worker' | 'tool';

/** Kept by the driver: longer than the session's, whose errors say more. */
const DRIVER_LIMITS = { connectionTimeoutMillis: 2_000, query_timeout: 3_000 };

/** Kept by the session; a pooler that lends sessions by the transaction refuses them, and its operator sets the limits. */
const SESSION_SETTINGS = {
  statement_timeout: 2_500,
  lock_timeout: 2_000,
  idle_in_transaction_session_timeout: 5_000,
  // A prepared statement keeps the plan that was made while its tables were small; every statement has its index, so
  // no plan may do without. Compiling one never pays at this length. The data are in memory or on a disk without
  // moving parts: else the planner would gather all that is due and sort it, rather than begin with the first.
  options: '-c enable_seqscan=off -c jit=off -c random_page_cost=1.1',
};

const load = createRequire(__filename);

/** The one description of the database: the API, the worker, the tools and the TypeORM CLI all connect through it. */
export class TixxetyDataSource extends DataSource {
  /** The transactions that calls on this data source take part in. */
  readonly transactions = new Transactions(() => super.createQueryRunner('master'));
  private embedded?: EmbeddedPostgres;

  constructor(
    private readonly settings: Settings,
    private readonly role: Role,
    private readonly say: (message: string) => void = () => undefined,
  ) {
    super({
      type: 'postgres',
      url: settings.DATABASE_URL,
      applicationName: `tixxety ${role}`,
      entities: classesIn('..', /\.entity\.[jt]s$/),
      migrations: classesIn('../../migrations', /^\d+-[^.]+\.[jt]s$/),
      migrationsTransactionMode: 'each',
      installExtensions: false, // the migrations do; a connection must change nothing
      parseInt8: true,
      poolSize: 10,
      extra: {
        ...(role !== 'tool' && { ...DRIVER_LIMITS, onConnect: breakOffUseless() }),
        ...(hasSessionSettings(settings, role) && SESSION_SETTINGS),
      },
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
      });
      this.setOptions({ url: this.embedded.url, database: 'tixxety' });
    }
    try {
      await super.initialize();
      if (hasSessionSettings(this.settings, this.role)) await this.requireSessions();
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

  /** Where the database is, once connected. */
  get url(): string {
    return this.embedded?.url ?? this.settings.DATABASE_URL ?? '';
  }

  override async destroy(): Promise<void> {
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

  /** What a pooler was told to ignore did not reach the session: then a statement prepared there would be lost too. */
  private async requireSessions(): Promise<void> {
    const [limit] = await this.query<{ setting: string }[]>(
      `SELECT setting FROM pg_settings WHERE name = 'statement_timeout'`,
    );
    if (Number(limit?.setting) !== SESSION_SETTINGS.statement_timeout) throw new StartupError(POOLER);
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

const POOLER =
  'DATABASE_URL names a pooler such as PgBouncer, which does not pass on the settings of a session: set ' +
  'DATABASE_POOLER=transaction, or connect to PostgreSQL itself.';

function connectionError(error: unknown, url: string): unknown {
  const { code, message, errors } = error as NodeJS.ErrnoException & { errors?: Error[] };
  if (message.includes('startup parameter')) return new StartupError(POOLER);
  const isConnection =
    /^(E[A-Z]+|28|3D|53|57P|08)/.test(code ?? '') || /timeout|terminated|SSL/.test(message);
  if (!isConnection) return error;
  const { hostname, port, pathname } = new URL(url);
  const where = `${hostname || 'localhost'}:${port || 5432}${pathname}`;
  return new StartupError(
    `DATABASE_URL: no connection to ${where} (${message || errors?.[0]?.message}); start PostgreSQL there, correct ` +
      'DATABASE_URL, or unset it to use the embedded PostgreSQL.',
  );
}
