import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { unprivilegedAccount } from '../../src/database/embedded/binaries';
import { runSql } from './databases';
import { eventually } from './eventually';
import { freePort } from './redis';
import { services } from './services';

const DEBIAN = '/usr/lib/postgresql';
const CREATE_DATABASE = join(__dirname, '../../ops/create-database.sql');

/** A server, and the programs that back it up. */
export interface DumpableServer {
  /** The address of a role that may create databases, and no more. */
  url: string;
  run(program: 'pg_dump' | 'pg_restore', args: string[]): Promise<void>;
  stop(): Promise<void>;
}

/**
 * The server of this run where a `pg_dump` of this machine can dump it, which must not be older; else one of our own,
 * of the version of the `pg_dump`; undefined where there is neither.
 */
export async function findDumpableServer(): Promise<DumpableServer | undefined> {
  const folder = newestTools();
  if (folder === undefined) return undefined;
  const run = async (program: string, args: string[]) => {
    await promisify(execFile)(join(folder, program), args);
  };
  const url = services.addresses.server;
  if (majorOf(folder) >= (await serverMajor(url))) return { url, run, stop: () => Promise.resolve() };
  return existsSync(join(folder, 'initdb')) ? { run, ...(await startServer(folder)) } : undefined;
}

/** The folder of the newest `pg_dump`; empty for one on the PATH. */
function newestTools(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN) : [];
  const folders = ['', ...versions.map((version) => join(DEBIAN, version, 'bin'))];
  return folders
    .filter((folder) => majorOf(folder) > 0)
    .sort((a, b) => majorOf(b) - majorOf(a) || b.length - a.length)[0];
}

function majorOf(folder: string): number {
  const { stdout } = spawnSync(join(folder, 'pg_dump'), ['--version'], { encoding: 'utf8' });
  return Number(/\) (\d+)/.exec(stdout)?.[1] ?? 0);
}

async function serverMajor(url: string): Promise<number> {
  const [row] = await runSql(url, `SELECT current_setting('server_version_num')::int / 10000 AS major`);
  return (row as { major: number }).major;
}

async function startServer(folder: string): Promise<Pick<DumpableServer, 'url' | 'stop'>> {
  const account = unprivilegedAccount();
  const home = mkdtempSync(join(tmpdir(), 'tixxety-postgres-'));
  chmodSync(home, 0o755);
  if (account) chownSync(home, account.uid, account.gid);
  const data = join(home, 'data');
  const options = { ...account, cwd: home, stdio: 'ignore' as const };
  const initdb = ['--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'];
  spawnSync(join(folder, 'initdb'), [...initdb, `--pgdata=${data}`], options);
  const port = await freePort();
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', `port=${port}`];
  const server = spawn(
    join(folder, 'postgres'),
    ['-D', data, ...settings.flatMap((setting) => ['-c', setting])],
    options,
  );
  const exited = once(server, 'exit');
  const stop = async () => {
    server.kill('SIGINT'); // fast: whoever is connected
    await exited;
    rmSync(home, { recursive: true, force: true });
  };
  try {
    const at = (role: string) => `postgres://${role}@127.0.0.1:${port}/postgres`;
    await eventually(() => runSql(at('postgres'), 'SELECT'));
    // As the runbook makes an empty server ready; the suites make more databases.
    const env = { ...process.env, TIXXETY_PASSWORD: 'secret' };
    await promisify(execFile)('psql', [at('postgres'), `--file=${CREATE_DATABASE}`], { env });
    await runSql(at('postgres'), 'ALTER ROLE tixxety CREATEDB');
    return { url: at('tixxety'), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
