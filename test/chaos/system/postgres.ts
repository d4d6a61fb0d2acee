import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Pool, type QueryResultRow } from 'pg';
import { openCluster, type Cluster } from '../../../src/database/embedded/cluster';
import { findServer, launch, shutDown } from '../../../src/database/embedded/server';
import type { Cleanup } from '../../support/cleanup';
import { migrate } from '../../support/migrate';
import { lastingPort } from './ports';

const PATIENCE_MS = 30_000;
const TRY_MS = 25;
const HANGING_MS = 10_000;
const TOLD_LINES = 10;

/** A PostgreSQL of our own: only we start it again. */
export class PostgresServer {
  private pool?: Pool;

  private constructor(
    private readonly cluster: Cluster,
    readonly port: number,
  ) {}

  /** Makes one in the folder, with an empty database that has the schema of this build. */
  static async open(folder: string, cleanup: Cleanup): Promise<PostgresServer> {
    const server = new PostgresServer(await openCluster(folder, () => undefined), await lastingPort());
    cleanup.add(() => server.kill());
    await server.start();
    const { password } = server.cluster;
    await server.maintain(`CREATE ROLE tixxety LOGIN PASSWORD '${password}'`);
    await server.maintain('CREATE DATABASE tixxety OWNER tixxety');
    await migrate(server.url);
    return server;
  }

  /** As the APIs and workers connect. */
  get url(): string {
    return this.urlOf('tixxety', 'tixxety');
  }

  /** Returns once it takes connections. */
  async start(): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    let launched = await launch(this.cluster, this.port);
    while (!(await this.isReady())) {
      if (Date.now() > end && launched.failure === undefined) throw await this.absence();
      if (launched.failure !== undefined) {
        if (!launched.isTemporary || Date.now() > end) throw new Error(`PostgreSQL: ${launched.failure}`);
        launched = await launch(this.cluster, this.port);
      }
      await sleep(TRY_MS);
    }
  }

  /** Whether there is a server, ready or not. */
  async isRunning(): Promise<boolean> {
    return (await findServer(this.cluster)).state !== 'none';
  }

  async isReady(): Promise<boolean> {
    if ((await findServer(this.cluster)).state !== 'ready') return false;
    const client = new Client({
      connectionString: this.urlOf('postgres', 'postgres'),
      connectionTimeoutMillis: 1_000,
    });
    client.on('error', () => undefined);
    return await client.connect().then(
      () => client.end().then(() => true),
      () => false,
    );
  }

  /** Waits until it is ready, however it comes to be. */
  async untilReady(): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    while (!(await this.isReady())) {
      if (Date.now() > end) throw await this.absence();
      await sleep(TRY_MS);
    }
  }

  /**
   * Waits until it is ready, and starts it whenever it has ended, as a supervisor does. Without room on its disk it breaks
   * down and recovers ten times a second, until a recovery fails too: at any moment, so one look is not enough. One that
   * is not ready for ten seconds is killed: one of forty hung so for half a minute.
   *
   * @param tell is told why it is killed
   */
  async supervise(tell: (why: string) => void): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    let hangsAt = Date.now() + HANGING_MS;
    while (!(await this.isReady())) {
      if (Date.now() > end) throw await this.absence();
      if (Date.now() > hangsAt) {
        hangsAt = end;
        tell((await this.absence()).message);
        await this.kill();
      }
      if (!(await this.isRunning())) await this.start();
      await sleep(TRY_MS);
    }
  }

  /** Kills the server and the processes of its connections, as when the machine fails. */
  async kill(): Promise<void> {
    await this.disconnect();
    const postmaster = this.postmaster();
    if (postmaster === undefined) return;
    for (const pid of [postmaster, ...childrenOf(postmaster)]) signal(pid, 'SIGKILL');
    while (await this.isRunning()) await sleep(TRY_MS);
  }

  /** Stops it as an administrator's restart does: statements under way are broken off. */
  async stop(): Promise<void> {
    await this.disconnect();
    await shutDown(this.cluster);
  }

  /** Kills the process behind one connection; PostgreSQL then ends all others too, and recovers. */
  async killBackend(pid: number): Promise<void> {
    await this.disconnect();
    signal(pid, 'SIGKILL');
  }

  /** Runs SQL behind everybody's back, as the superuser. */
  async sql<Row extends QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]> {
    this.pool ??= new Pool({
      connectionString: this.urlOf('postgres', 'tixxety'),
      max: 3,
      connectionTimeoutMillis: 5_000,
      query_timeout: 10_000,
    }).on('error', () => undefined);
    return (await this.pool.query<Row>(text, values)).rows;
  }

  private async absence(): Promise<Error> {
    const { state } = await findServer(this.cluster);
    const said = readFileSync(this.cluster.log, 'utf8').trimEnd().split('\n').slice(-TOLD_LINES);
    return new Error(`PostgreSQL does not come back (${state}); its log ends with\n${said.join('\n')}`);
  }

  private async maintain(statement: string): Promise<void> {
    const client = new Client({ connectionString: this.urlOf('postgres', 'postgres') });
    await client.connect();
    await client.query(statement).finally(() => client.end());
  }

  private async disconnect(): Promise<void> {
    const { pool } = this;
    this.pool = undefined;
    await pool?.end();
  }

  private postmaster(): number | undefined {
    try {
      return Number(readFileSync(`${this.cluster.data}/postmaster.pid`, 'utf8').split('\n')[0]) || undefined;
    } catch {
      return undefined;
    }
  }

  private urlOf(user: string, database: string): string {
    return `postgres://${user}:${this.cluster.password}@127.0.0.1:${this.port}/${database}?sslmode=disable`;
  }
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && parentOf(pid) === parent);
}

function parentOf(pid: number): number | undefined {
  try {
    // pid (program) state parent …
    return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}
