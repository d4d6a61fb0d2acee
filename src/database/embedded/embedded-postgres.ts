import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { EmbeddedPostgresError, codeOf } from './binaries';
import { openCluster, trouble, type Cluster } from './cluster';
import { findServer, launch, shutDown, trimLog, type Launch } from './server';

export { EmbeddedPostgresError };

export interface EmbeddedPostgresOptions {
  /** The cluster lives in the folder `postgres` of it; made where missing. */
  dataDir: string;
  /** True for a process that must be the only one of its kind on the data folder. */
  exclusive: boolean;
  /** Tells a human in one line what takes long or went wrong on the way. */
  say: (message: string) => void;
  /** Calls the start off; a server that it has launched ends again. */
  stopped?: AbortSignal;
}

export interface EmbeddedPostgres {
  /** `postgres://…` of the database `tixxety`; its owner may create further databases but is no superuser. */
  url: string;
  /**
   * Stops the server, unless another process still uses it.
   *
   * @throws {EmbeddedPostgresError} when the server doesn't stop
   */
  stop(): Promise<void>;
}

// Advisory locks in the maintenance database. They go with the connection, so a killed process leaves none behind.
const IN_USE = 1;
const EXCLUSIVE = 2;
const PREPARING = 3;

const READY_WITHIN_MS = 120_000; // a server that was killed may have max_wal_size to replay
const LAUNCHES = 40;
const RESTARTS = 5;

/** The connection whose locks tell other processes that this one uses the server. */
interface Lease {
  client: Client;
  port: number;
  lost: Promise<void>;
}

/** Those that this process uses. */
const running = new Set<EmbeddedPostgres>();

/**
 * Stops whatever this process has started or joined, unless another process still uses it.
 *
 * @throws {EmbeddedPostgresError} when a server doesn't stop
 */
export async function stopEmbeddedPostgres(): Promise<void> {
  await Promise.all([...running].map((embedded) => embedded.stop()));
}

/**
 * Starts the PostgreSQL of a data folder, or joins the processes that use it already; the first start ever makes the
 * cluster. Until `stop`, a server that dies is started again on the same port.
 *
 * @throws {EmbeddedPostgresError} one sentence that names the setting and the way out
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  try {
    const cluster = await openCluster(dataDir, options.say);
    return keep(cluster, options, await enter(cluster, options));
  } catch (error) {
    throw trouble(dataDir, error);
  }
}

/** Watches over a server that this process uses, until it doesn't any more. */
function keep(cluster: Cluster, options: EmbeddedPostgresOptions, first: Lease): EmbeddedPostgres {
  const { port } = first;
  const { say } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const aborted = once(signal, 'abort');
  let lease = first;

  const watch = async () => {
    let problem = 'it keeps dying';
    for (let restarts = 0; ; restarts++) {
      const since = Date.now();
      await Promise.race([lease.lost, aborted]);
      if (signal.aborted) return;
      if (Date.now() - since > 60_000) restarts = 0;
      if (restarts > RESTARTS) {
        say(`PostgreSQL went away and cannot be brought back; restart Tixxety. (${problem})`);
        return;
      }
      try {
        await sleep(restarts && 250 * 2 ** restarts, undefined, { signal });
        lease = await enter(cluster, options, { port, signal });
        say(`PostgreSQL went away and is back on port ${port}.`);
      } catch (error) {
        problem = trouble(cluster.dataDir, error).message;
      }
    }
  };
  const watching = watch();
  const trimming = setInterval(() => void trimLog(cluster.log), 60_000).unref();

  const stop = async () => {
    running.delete(embedded);
    stopping.abort();
    clearInterval(trimming);
    await watching;
    await leave(cluster, lease.client);
  };
  let stopped: Promise<void> | undefined;
  const embedded: EmbeddedPostgres = {
    // Without sslmode, a PGSSLMODE of the user would count.
    url: `postgres://tixxety:${cluster.password}@127.0.0.1:${port}/tixxety?sslmode=disable`,
    stop: () => (stopped ??= stop()),
  };
  running.add(embedded);
  return embedded;
}

/** Starts the server unless it runs, and waits until this process is one of its users. */
async function enter(
  cluster: Cluster,
  { exclusive, say, stopped }: EmbeddedPostgresOptions,
  again?: { port: number; signal: AbortSignal },
): Promise<Lease> {
  const { dataDir } = cluster;
  const signal = again?.signal ?? stopped;
  const begun = Date.now();
  let launched: Launch | undefined;
  let launches = 0;
  let portIsTaken = false;
  let problem = 'it is not ready yet';
  let hasSaid = false;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const server = await findServer(cluster);
      if (server.state === 'ready' && server.port) {
        if (again && server.port !== again.port) {
          throw trouble(dataDir, `another process started it on port ${server.port}`, 'restart Tixxety');
        }
        try {
          return await connect(cluster, server.port, exclusive);
        } catch (error) {
          if (!isPassing(error)) throw error;
          problem = (error as Error).message;
        }
      } else if (launched?.failure !== undefined) {
        problem = launched.failure;
        portIsTaken ||= launched.portIsTaken === true;
        if (!launched.isTemporary || launches === LAUNCHES) throw trouble(dataDir, problem);
        await sleep(Math.min(25 * 2 ** launches, 1_000), undefined, { signal });
        launched = undefined;
      } else if (!launched && server.state === 'none') {
        // Processes that used the server that died wait for the next one on the same port.
        launched = await launch(
          cluster,
          again?.port ?? (portIsTaken ? undefined : server.port) ?? randomPort(),
        );
        launches++;
      }
      const waited = Date.now() - begun;
      if (waited > READY_WITHIN_MS) throw trouble(dataDir, `${problem} after two minutes`, 'try again');
      if (waited > 3_000 && !hasSaid) {
        say(`Waiting for PostgreSQL in ${dataDir}: ${problem}.`);
        hasSaid = true;
      }
      await sleep(waited < 3_000 ? 20 : 200, undefined, { signal });
    }
  } catch (error) {
    if (signal?.aborted || isWrongPassword(error)) await launched?.cancel();
    throw error;
  }
}

/** Below what systems use for outgoing connections, one of which might be on the port when the server comes back. */
const randomPort = () => randomInt(15_000, 32_000);

const isWrongPassword = (error: unknown) => codeOf(error).startsWith('28');

/** True when the server is coming or going, or someone has a lock for a moment. */
function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  if (code) return /^(E[A-Z]|08|57P|53300|55P03)/.test(code);
  return /terminated|timeout|not queryable/i.test((error as Error).message);
}

async function connect(cluster: Cluster, port: number, exclusive: boolean): Promise<Lease> {
  const client = new Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password: cluster.password,
    database: 'postgres',
    application_name: `tixxety ${process.pid}`,
    connectionTimeoutMillis: 5_000,
    lock_timeout: 1_000,
    // Else pg takes PGSSLMODE and PGOPTIONS from the environment.
    ssl: false,
    options: '-c statement_timeout=0 -c idle_session_timeout=0',
  });
  client.on('error', () => undefined); // `end` follows
  const lost = new Promise<void>((resolve) => client.once('end', () => resolve()));
  try {
    await client.connect();
  } catch (error) {
    await client.end();
    throw error;
  }
  try {
    await client.query(`SELECT pg_advisory_lock_shared(${IN_USE})`);
    if (exclusive) await claim(client, cluster.dataDir);
    await makeDatabase(client, cluster.password);
    return { client, port, lost };
  } catch (error) {
    await leave(cluster, client).catch(() => undefined);
    throw error;
  }
}

/** The lock of a process that was killed goes a moment after it, so this waits for `lock_timeout`. */
async function claim(client: Client, dataDir: string): Promise<void> {
  try {
    await client.query(`SELECT pg_advisory_lock(${EXCLUSIVE})`);
  } catch (error) {
    if (codeOf(error) !== '55P03') throw error;
    throw new EmbeddedPostgresError(
      `DATA_DIR: another Tixxety already runs on ${dataDir}; stop it, or set DATA_DIR to another folder and PORT ` +
        'to another port to run a second one.',
    );
  }
}

async function makeDatabase(client: Client, password: string): Promise<void> {
  const isThere = async (what: string) =>
    (await client.query(`SELECT FROM ${what} = 'tixxety'`)).rowCount === 1;
  if (await isThere('pg_database WHERE datname')) return;
  await client.query(`SELECT pg_advisory_lock(${PREPARING})`);
  if (!(await isThere('pg_roles WHERE rolname'))) {
    await client.query(`CREATE ROLE tixxety LOGIN CREATEDB PASSWORD '${password}'`);
  }
  if (!(await isThere('pg_database WHERE datname')))
    await client.query('CREATE DATABASE tixxety OWNER tixxety');
  await client.query(`SELECT pg_advisory_unlock(${PREPARING})`);
}

/** Gives the locks back. The process that then gets the first one to itself was the last to use the server. */
async function leave(cluster: Cluster, client: Client): Promise<void> {
  const isLast = async () => {
    await client.query('SELECT pg_advisory_unlock_all()');
    const { rows } = await client.query<{ last: boolean }>(`SELECT pg_try_advisory_lock(${IN_USE}) AS last`);
    return rows[0]?.last === true;
  };
  try {
    // A connection that is lost has given its locks back, and there is no server, or none of ours.
    if (await isLast().catch(() => false)) await shutDown(cluster);
  } catch (error) {
    throw trouble(cluster.dataDir, error);
  } finally {
    await client.end();
  }
}
