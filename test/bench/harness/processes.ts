import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../support/redis';
import { TEST_SECRET } from '../../support/tokens';
import type { Cleanup } from './cleanup';

/** The root of the build, in which everything that is measured runs. */
const BUILD = join(__dirname, '../../..');

/** A server process that listens on a port of this machine. */
export interface ServerProcess {
  url: string;
  /** Resident memory in megabytes (10⁶ bytes). */
  residentMb(): number;
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** Relative to the build. */
  script: string;
  args?: string[];
  execArgv?: string[];
  environment: Record<string, string>;
  /** The variable through which the process learns where to listen. */
  portVariable?: 'PORT' | 'WORKER_PORT';
}

/**
 * Starts a process of the build and waits until it listens. Its log goes to /dev/null: writing it is paid for, as in
 * production, but nobody has to read it.
 */
export async function startServer(options: ServerOptions, cleanup: Cleanup): Promise<ServerProcess> {
  const { script, args = [], execArgv = [], environment, portVariable = 'PORT' } = options;
  const port = await freePort();
  const child = spawn(process.execPath, [...execArgv, join(BUILD, script), ...args], {
    cwd: tmpdir(), // away from the developer's .env
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      JWT_SECRET: TEST_SECRET,
      RATE_LIMIT_PER_MINUTE: '1000000000', // paid for, as in production, and never reached
      ...environment,
      [portVariable]: String(port),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const stop = async () => {
    if (hasEnded(child)) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  cleanup.add(stop);
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  while (!(await accepts(port))) {
    if (hasEnded(child)) throw new Error(`${script} ended before it listened: ${complaint}`);
    await sleep(20);
  }
  return {
    url: `http://127.0.0.1:${port}`,
    residentMb: () => residentMb(child),
    stop,
  };
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null;

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** From Linux itself; there is no portable way to ask for another process. */
function residentMb({ pid }: ChildProcess): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return (Number(kilobytes) * 1_024) / 1e6;
}
