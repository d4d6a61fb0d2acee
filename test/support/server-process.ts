import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cleanup } from './cleanup';
import { accepts, freePort } from './redis';
import { TEST_SECRET } from './tokens';

/** The root of the build, in which everything that is measured or broken runs. */
const BUILD = join(__dirname, '../..');

/** A server process that listens on a port of this machine. */
export interface ServerProcess {
  url: string;
  pid: number;
  /** Resident memory in megabytes (10⁶ bytes). */
  residentMb(): number;
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<ServerEnd>;
  /** Resolves when it ends, for any reason. */
  ended: Promise<ServerEnd>;
}

export interface ServerEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ServerOptions {
  /** Relative to the build. */
  script: string;
  args?: string[];
  execArgv?: string[];
  environment: Record<string, string>;
  /** The variable through which the process learns where to listen. */
  portVariable?: 'PORT' | 'WORKER_PORT';
  /** Where it listens; left out: on any free port. */
  port?: number;
  /** The file that its log is added to; left out: written, as in production, but kept nowhere. */
  log?: string;
}

/** Starts a process of the build and waits until it listens. */
export async function startServer(options: ServerOptions, cleanup: Cleanup): Promise<ServerProcess> {
  const { script, args = [], execArgv = [], environment, portVariable = 'PORT', log } = options;
  const port = options.port ?? (await freePort());
  const output = log === undefined ? undefined : openSync(log, 'a');
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
    stdio: ['ignore', output ?? 'ignore', 'pipe'],
  });
  if (output !== undefined) closeSync(output);
  const ended = once(child, 'exit').then(([code, signal]): ServerEnd => ({ code, signal }));
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal);
    child.kill('SIGCONT'); // it may have been stopped, and would not notice
    return await ended;
  };
  cleanup.add(() => stop());
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  while (!(await accepts(port))) {
    if (hasEnded(child)) throw new Error(`${script} ended before it listened: ${complaint}`);
    await sleep(20);
  }
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    residentMb: () => residentMb(child),
    stop,
    ended,
  };
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null;

/** From Linux itself; there is no portable way to ask for another process. */
function residentMb({ pid }: ChildProcess): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return (Number(kilobytes) * 1_024) / 1e6;
}
