import { spawn } from 'node:child_process';
import { closeSync, existsSync, fchownSync, openSync } from 'node:fs';
import { copyFile, readFile, readlink, rm, stat, truncate } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { childOptions, isAlive, run, tellingLine } from './binaries';
import type { Cluster } from './cluster';

/** All tuning is here; it applies from the next start of the server. fsync stays on. */
const TUNING = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=', // a socket's path may have 107 bytes at most, that of DATA_DIR more
  `shared_buffers=${sharedBuffersMb()}MB`,
  'max_wal_size=4GB', // else a rush itself would bring about a checkpoint, which slows it down
  'wal_init_zero=off', // filling a new file of the log with zeros would keep all commits waiting for 50 ms
  'log_min_messages=log', // the error of a statement reaches its sender
  'log_checkpoints=off',
];

/** An eighth of the memory there is, for it is not PostgreSQL's alone; a million events fit in 1 GB. */
function sharedBuffersMb(): number {
  const memory = Math.min(totalmem(), process.constrainedMemory() || Infinity); // a container's limit, if any
  return Math.min(Math.max(Math.floor(memory / 2 ** 20 / 8), 64), 1_024);
}

const LOG_LIMIT = 4 * 1024 * 1024;

export interface Server {
  /** `busy`: starting or stopping. */
  state: 'none' | 'busy' | 'ready';
  /** With `none`, the port of a server that died. */
  port?: number;
}

/** What `postmaster.pid` says, where it can be believed. Removes one that would keep PostgreSQL from starting. */
export async function findServer({ data }: Cluster): Promise<Server> {
  const file = join(data, 'postmaster.pid');
  const read = () => readFile(file, 'utf8').catch(() => '');
  const text = await read();
  const [first, , , port, , , , status] = text.split('\n');
  const pid = Math.abs(Number(first));
  const server = { port: Number(port) || undefined };
  if (pid > 0 && isAlive(pid)) {
    if (await isServerOf(pid, data))
      return { ...server, state: status?.trim() === 'ready' ? 'ready' : 'busy' };
  } else if (pid > 0) {
    return { ...server, state: 'none' }; // PostgreSQL replaces the file by itself
  }
  const age = await stat(file).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => undefined,
  );
  if (age === undefined) return { state: 'none' };
  // An empty file, or the number of the server that died now belongs to someone else: PostgreSQL would believe that
  // it runs. An empty one may also have been made this moment.
  if (age < 2_000 || (await read()) !== text) return { state: 'busy' };
  await rm(file, { force: true });
  return { ...server, state: 'none' };
}

async function isServerOf(pid: number, data: string): Promise<boolean> {
  if (!existsSync('/proc/self/cmdline')) return true; // not Linux: PostgreSQL itself has no better idea either
  const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  if (words.split('\0').includes(data)) return true;
  // The folder may have been moved since; root in a container, though, mustn't look at others' working folders.
  return (await readlink(`/proc/${pid}/cwd`).catch(() => undefined)) === data;
}

/** A server on its way up. */
export interface Launch {
  /** Set once it is over. */
  failure?: string;
  /** It may work a moment later. */
  isTemporary?: boolean;
  portIsTaken?: boolean;
  /** Calls it off, while no process can have begun to use it. */
  cancel: () => Promise<void>;
}

/** Starts a server that outlives us; {@link findServer} tells when it is ready. */
export async function launch({ data, log, account, binaries }: Cluster, port: number): Promise<Launch> {
  await trimLog(log);
  const output = openSync(log, 'a', 0o600);
  if (account) fchownSync(output, account.uid, account.gid);
  const before = (await stat(log)).size;
  const settings = [...TUNING, `port=${port}`].flatMap((setting) => ['-c', setting]);
  // Windows: pg_ctl drops an administrator's rights, with which PostgreSQL wouldn't run. Elsewhere we are the better
  // parent: in a container no other process might reap a killed server, and its number would stay taken.
  const [program, args] =
    process.platform === 'win32'
      ? ['pg_ctl', ['start', '-w', '-D', data, '-o', settings.join(' ')]]
      : ['postgres', ['-D', data, ...settings]];
  const child = spawn(join(binaries.folder, 'bin', program), args, {
    ...childOptions(account),
    detached: true, // a session of its own: Ctrl-C in our terminal must not reach it
    stdio: ['ignore', output, output],
  });
  child.unref();
  closeSync(output);

  const over = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  const cancel = async () => {
    child.ref();
    child.kill('SIGINT');
    await over;
  };
  const launched: Launch = { cancel };
  child.once('error', ({ message }) => (launched.failure = message));
  child.once('exit', (code, signal) => {
    const said = readFile(log).then(
      (bytes) => bytes.subarray(before).toString(),
      () => '',
    );
    void said.then((said) => {
      launched.portIsTaken = /could not bind|create any TCP/.test(said);
      // Exit code 0 and signals: someone stopped it. The rest: another process starts one, or of a killed server
      // some process still works on its last statement.
      const isWaiting =
        /postmaster\.pid" already exists|lock file .* is empty|pre-existing shared memory/.test(said);
      launched.isTemporary = launched.portIsTaken || isWaiting || code === 0 || signal !== null;
      launched.failure = tellingLine(said) ?? `it ended with ${signal ?? `exit code ${code}`}`;
    });
  });
  return launched;
}

/**
 * Stops the server; open connections break.
 *
 * @throws {Error} when it doesn't stop within a minute
 */
export async function shutDown(cluster: Cluster): Promise<void> {
  try {
    const { data, binaries, account } = cluster;
    await run(binaries, 'pg_ctl', ['stop', '-w', '-t', '60', '-m', 'fast', '-D', data], account);
  } catch (error) {
    if ((await findServer(cluster)).state !== 'none') throw error;
  }
}

/** Keeps the log, which PostgreSQL only ever appends to, from growing without end. */
export async function trimLog(log: string): Promise<void> {
  try {
    if ((await stat(log)).size < LOG_LIMIT) return;
    await rm(`${log}.old`, { force: true });
    await copyFile(log, `${log}.old`);
    await truncate(log);
  } catch {
    // It isn't there yet, or the disk is full; neither is worth failing for.
  }
}
