import { spawn } from 'node:child_process';
import { once, type EventEmitter } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import Redis from 'ioredis';
import { startFaultProxy } from './fault-proxy';
import { services } from './services';

export interface RunningRedis {
  url: string;
  stop(): Promise<void> | void;
}

/** A `redis-server` that was started here. */
export interface StartedRedis extends RunningRedis {
  pid: number;
  /** Kills it. */
  stop(): Promise<void>;
}

/** `REDIS_URL`, else the Redis of this machine, else a `redis-server` of our own; undefined where there is none. */
export async function findRedis(folder: string): Promise<RunningRedis | undefined> {
  if (process.env.REDIS_URL) return { url: process.env.REDIS_URL, stop: () => undefined };
  if (await accepts(6379)) return { url: 'redis://127.0.0.1:6379', stop: () => undefined };
  return await startRedis(folder);
}

/** A `redis-server` from the PATH that keeps nothing on disk; undefined where there is none. */
export async function startRedis(folder: string, port?: number): Promise<StartedRedis | undefined> {
  const chosen = port ?? (await freePort());
  const server = spawn(
    'redis-server',
    ['--port', String(chosen), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder],
    { stdio: 'ignore' },
  );
  const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  if (!(await succeeds(server, 'spawn'))) return undefined;
  while (!(await accepts(chosen))) {
    if (server.exitCode !== null) throw new Error(`redis-server ended with ${server.exitCode}`);
    await sleep(20);
  }
  return {
    url: `redis://127.0.0.1:${chosen}`,
    pid: server.pid ?? 0,
    stop: async () => {
      server.kill('SIGKILL');
      await exited;
    },
  };
}

/** A Redis for one suite alone, that can be taken away. */
export interface OwnRedis {
  url: string;
  /** As when the server is killed. */
  takeAway(): Promise<void>;
  bringBack(): Promise<void>;
  /** Loses everything that was stored, as FLUSHALL does. */
  forget(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * A `redis-server` of our own; where none is installed, a database of the run's Redis that hardly anyone uses,
 * behind a proxy that can be cut.
 */
export async function ownRedis(): Promise<OwnRedis> {
  let server = await startRedis(tmpdir());
  if (server) {
    const { url } = server;
    const takeAway = async () => await server?.stop();
    return {
      url,
      takeAway,
      bringBack: async () => {
        server = await startRedis(tmpdir(), Number(new URL(url).port));
      },
      forget: () => forget(url),
      stop: takeAway,
    };
  }
  const shared = new URL(services.addresses.redis ?? '');
  shared.pathname = '/15';
  await forget(shared.href);
  const proxy = await startFaultProxy(shared.href);
  return {
    url: proxy.url,
    takeAway: proxy.cut,
    bringBack: proxy.heal,
    forget: () => forget(shared.href),
    stop: () => forget(shared.href),
  };
}

async function forget(url: string): Promise<void> {
  const redis = new Redis(url);
  const keys = await redis.keys('tixxety:*');
  if (keys.length > 0) await redis.del(keys);
  redis.disconnect();
}

export async function accepts(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  const isOpen = await succeeds(socket, 'connect');
  socket.destroy();
  return isOpen;
}

/** Whether the event comes before an error. */
function succeeds(emitter: EventEmitter, event: string): Promise<boolean> {
  return new Promise((resolve) => {
    emitter.once(event, () => resolve(true)).once('error', () => resolve(false));
  });
}

/** A TCP port of 127.0.0.1 that is free right now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
