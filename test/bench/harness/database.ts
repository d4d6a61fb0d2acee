import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Pool, type QueryResultRow } from 'pg';
import { readSettings } from '../../../src/config/settings';
import { StartupError } from '../../../src/config/startup-error';
import { startEmbeddedPostgres } from '../../../src/database/embedded/embedded-postgres';
import type { Cleanup } from '../../support/cleanup';
import { migrate } from '../../support/migrate';

/** What tells how the server was set up, and goes into the results. */
const TOLD = ['server_version', 'fsync', 'synchronous_commit', 'shared_buffers', 'max_wal_size'] as const;

/** The PostgreSQL of `DATABASE_URL`, else an embedded one that is removed afterwards. */
export class DatabaseServer {
  private readonly prefix = `tixxety_bench_${randomBytes(4).toString('hex')}`;
  private count = 0;

  private constructor(
    private readonly url: string,
    private readonly cleanup: Cleanup,
    readonly settings: Record<(typeof TOLD)[number], string>,
  ) {}

  /** @throws {StartupError} when there is no server, or one that does not keep what it commits */
  static async open(cleanup: Cleanup): Promise<DatabaseServer> {
    const url = readSettings().DATABASE_URL ?? (await startEmbedded(cleanup));
    const settings = await withClient(url, async (client) => {
      const { rows } = await client.query<{ name: string; value: string }>(
        'SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS name',
        [TOLD],
      );
      return Object.fromEntries(rows.map(({ name, value }) => [name, value])) as DatabaseServer['settings'];
    });
    for (const name of ['fsync', 'synchronous_commit'] as const) {
      if (settings[name] !== 'on')
        throw new StartupError(`${name} is ${settings[name]}: speed bought so does not count.`);
    }
    return new DatabaseServer(url, cleanup, settings);
  }

  /** An empty database with the schema of this build, or a copy of another one. */
  async createDatabase(template?: Database): Promise<Database> {
    const name = `${this.prefix}_${++this.count}`;
    await template?.disconnect(); // PostgreSQL copies only what nobody is connected to
    const url = new URL(this.url);
    url.pathname = `/${name}`;
    const database = new Database(name, url.href);
    this.cleanup.add(async () => {
      await database.disconnect();
      await withClient(this.url, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    });
    await withClient(this.url, (client) =>
      client.query(`CREATE DATABASE ${name} TEMPLATE ${template?.name ?? 'template0'}`),
    );
    if (!template) await migrate(database.url);
    return database;
  }
}

/** One database of the benchmark. */
export class Database {
  private pool?: Pool;

  constructor(
    readonly name: string,
    readonly url: string,
  ) {}

  /** Runs SQL behind the API's back. */
  async sql<Row extends QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]> {
    this.pool ??= new Pool({ connectionString: this.url, max: 2 }).on('error', () => undefined);
    return (await this.pool.query<Row>(text, values)).rows;
  }

  /** Runs statements that belong to one session, one after the other. */
  async script(...statements: string[]): Promise<void> {
    await withClient(this.url, async (client) => {
      for (const statement of statements) await client.query(statement);
    });
  }

  async disconnect(): Promise<void> {
    const { pool } = this;
    this.pool = undefined;
    await pool?.end();
  }
}

async function startEmbedded(cleanup: Cleanup): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tixxety-bench-'));
  cleanup.add(() => rm(dataDir, { recursive: true, force: true }));
  await chmod(dataDir, 0o755); // as root, PostgreSQL runs as somebody else
  const postgres = await startEmbeddedPostgres({ dataDir, exclusive: true, say: () => undefined });
  cleanup.add(() => postgres.stop());
  return postgres.url;
}

async function withClient<Result>(url: string, work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: url });
  await client.connect().catch((error: unknown) => {
    const { message, code } = error as NodeJS.ErrnoException;
    throw new StartupError(`DATABASE_URL: no connection (${message || code}).`);
  });
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
