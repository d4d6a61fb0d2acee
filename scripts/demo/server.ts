import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScriptError } from '../run-script';

const MAIN = join(__dirname, '../../src/main.js');
const STOP_LIMIT_MS = 15_000;

export interface DemoServer {
  url: string;
  /** Stops the server and removes all that it wrote. */
  stop(): Promise<void>;
}

/**
 * Starts the API on a free port with an embedded PostgreSQL in a folder of its own, whatever the environment says.
 *
 * @throws {ScriptError} with what the server said when it does not start
 */
export async function startDemoServer(holdSeconds: number): Promise<DemoServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tixxety-demo-'));
  await chmod(folder, 0o755); // as root, PostgreSQL runs as somebody else
  const server = spawn(process.execPath, [MAIN], {
    cwd: folder, // no .env there
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      DATA_DIR: join(folder, 'data'),
      HOLD_SECONDS: String(holdSeconds),
      RATE_LIMIT_PER_MINUTE: '0', // the whole crowd comes from one address
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // out of reach of Ctrl-C, so that it always ends the orderly way
  });
  const ended = once(server, 'close');
  const stop = async () => {
    server.kill('SIGTERM');
    const limit = setTimeout(() => server.kill('SIGKILL'), STOP_LIMIT_MS);
    await ended;
    clearTimeout(limit);
    await rm(folder, { recursive: true, force: true });
  };

  let output = '';
  const url = await new Promise<string | undefined>((resolve) => {
    const listen = (chunk: Buffer) => {
      output += chunk.toString();
      const [, address] = /"url":"(http:[^"]+)".*"msg":"The API is listening"/.exec(output) ?? [];
      if (address) resolve(address);
    };
    server.stdout.on('data', listen);
    server.stderr.on('data', listen);
    void ended.then(() => resolve(undefined));
  });
  if (url !== undefined) return { url, stop };
  await stop();
  throw new ScriptError(`The server did not start:\n${output.trim()}`);
}
