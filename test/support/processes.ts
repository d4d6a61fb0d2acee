import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const MAIN = join(__dirname, '../../dist/src/main.js');

export interface Finished {
  code: number | null;
  output: string;
}

export interface RunningProcess {
  child: ChildProcess;
  /** The first address in the greeting. */
  url: string;
  output(): string;
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Finished>;
}

/** Runs the build to its end, in an environment of nothing but `environment`. */
export async function runMain(
  args: string[],
  environment: Record<string, string>,
  cwd?: string,
): Promise<Finished> {
  const { child, output } = launch(args, environment, cwd);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: output() };
}

/** Starts the build as an API or a worker and waits for its greeting. */
export async function startMain(
  args: string[],
  environment: Record<string, string>,
  cwd?: string,
): Promise<RunningProcess> {
  const { child, output } = launch(args, environment, cwd);
  const closed = once(child, 'close') as Promise<[number | null]>;
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', () => {
      const [, address] = /\n {2}(?:API|Health) +(http:\/\/[\d.:]+)/.exec(output()) ?? [];
      if (address) resolve(address);
    });
    void closed.then(([code]) => reject(new Error(`ended with ${code} before its greeting: ${output()}`)));
  });
  return {
    child,
    url,
    output,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      const [code] = await closed;
      return { code, output: output() };
    },
  };
}

function launch(args: string[], environment: Record<string, string>, cwd?: string) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, output: () => output };
}
