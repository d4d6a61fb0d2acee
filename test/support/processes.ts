import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TEST_SECRET } from './tokens';

const BUILD = join(__dirname, '../../dist');
const MAIN = join(BUILD, 'src/main.js');

export interface Finished {
  code: number | null;
  /** Standard output and standard error, as a terminal shows them. */
  output: string;
  stderr: string;
}

export interface RunningProcess {
  child: ChildProcess;
  /** Where it listens, by its log. */
  url: string;
  output(): string;
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Finished>;
}

const running = new Set<ChildProcess>();

// A test that fails may not come to stop what it started.
afterAll(async () => {
  const ends = [...running].map((child) => once(child, 'close'));
  for (const child of running) child.kill('SIGKILL');
  await Promise.all(ends);
});

/** Runs the build to its end, in an environment of nothing but `environment`. */
export async function runMain(
  args: string[],
  environment: Record<string, string> = {},
  cwd?: string,
): Promise<Finished> {
  return await launch([MAIN, ...args], environment, cwd).finished;
}

/** Sends a signal to the build as soon as it has said what `after` is found in, and waits for its end. */
export async function interruptMain(
  after: RegExp,
  signal: NodeJS.Signals,
  environment: Record<string, string>,
): Promise<Finished> {
  const { child, output, finished } = launch([MAIN], { PORT: '0', ...environment });
  const listen = () => {
    if (!after.test(output())) return;
    child.stdout.off('data', listen);
    child.kill(signal);
  };
  child.stdout.on('data', listen);
  return await finished;
}

/** Runs a script of the build, such as `seed`, to its end; `onStart` gets its process. */
export async function runScript(
  name: string,
  args: string[],
  environment: Record<string, string> = {},
  { cwd, onStart }: { cwd?: string; onStart?: (child: ChildProcess) => void } = {},
): Promise<Finished> {
  const { child, finished } = launch([join(BUILD, 'scripts', `${name}.js`), ...args], environment, cwd);
  onStart?.(child);
  return await finished;
}

/** Starts the build as an API or a worker, on a port that the system chooses, and waits until its log says where it listens. */
export async function startMain(
  args: string[],
  environment: Record<string, string>,
  cwd?: string,
): Promise<RunningProcess> {
  const { child, output, finished } = launch([MAIN, ...args], { PORT: '0', ...environment }, cwd);
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', () => {
      const [, address] =
        /"url":"(http:[^"]+)".*"msg":"The (?:API is listening|worker is running)"/.exec(output()) ?? [];
      if (address) resolve(address);
    });
    void finished.then(({ code }) => reject(new Error(`ended with ${code} before it listened: ${output()}`)));
  });
  return {
    child,
    url,
    output,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      return await finished;
    },
  };
}

// The default folder is one without the developer's .env.
function launch(args: string[], environment: Record<string, string>, cwd = tmpdir()) {
  const child = spawn(process.execPath, args, {
    cwd,
    env: {
      PATH: process.env.PATH,
      JWT_SECRET: TEST_SECRET,
      RATE_LIMIT_PER_MINUTE: '0',
      HOLD_COOL_DOWN_SECONDS: '0',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    stderr += chunk.toString();
  });
  running.add(child);
  const finished = (once(child, 'close') as Promise<[number | null]>).then(([code]): Finished => {
    running.delete(child);
    return { code, output, stderr };
  });
  return { child, output: () => output, finished };
}
