import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accepts, freePort } from './redis';

export interface RunningPgBouncer {
  /** The address of a database of the server behind, by way of the pooler. */
  through(url: string): string;
  stop(): Promise<void>;
}

// Debian keeps it among the programs for root.
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };

const running = new Set<ChildProcess>();

// A test that fails may not come to stop what it started.
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

export const hasPgBouncer = spawnSync('pgbouncer', ['--version'], { env }).status === 0;

/** More clients than this share the sessions of a database, so that hardly anyone meets the same one twice. */
export const POOL_SIZE = 4;

/** PgBouncer in transaction mode before the server at `url`. */
export async function startPgBouncer(
  url: string,
  { port, ignored = [] }: { port?: number; ignored?: string[] } = {},
): Promise<RunningPgBouncer> {
  const server = new URL(url);
  const own = port ?? (await freePort());
  const folder = mkdtempSync(join(tmpdir(), 'tixxety-pgbouncer-'));
  chmodSync(folder, 0o755); // as root, PgBouncer runs as somebody else
  const file = join(folder, 'pgbouncer.ini');
  writeFileSync(file, configuration(server, own, ignored));

  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const pgbouncer = spawn('pgbouncer', [...user, file], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  running.add(pgbouncer);
  const exited = once(pgbouncer, 'close').then(() => running.delete(pgbouncer));
  let log = '';
  pgbouncer.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  while (!(await accepts(own))) {
    if (pgbouncer.exitCode !== null) throw new Error(`pgbouncer ended with ${pgbouncer.exitCode}: ${log}`);
  }
  return {
    through: (target) => {
      const address = new URL(target);
      address.host = `127.0.0.1:${own}`;
      return address.href;
    },
    stop: async () => {
      pgbouncer.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configuration(
  { hostname, port, username, password }: URL,
  ownPort: number,
  ignored: string[],
): string {
  const login = Object.entries({ user: username, password })
    .filter(([, value]) => value !== '') // which PgBouncer can't read
    .map(([name, value]) => `${name}='${decodeURIComponent(value).replaceAll("'", "''")}'`);
  return `
[databases]
* = host=${hostname} port=${port || 5432} ${login.join(' ')}
[pgbouncer]
pool_mode = transaction
default_pool_size = ${POOL_SIZE}
listen_addr = 127.0.0.1
listen_port = ${ownPort}
unix_socket_dir =
auth_type = any
ignore_startup_parameters = ${ignored.join(', ')}
`;
}
