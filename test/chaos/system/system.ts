import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartupError } from '../../../src/config/startup-error';
import { startFaultProxy, type FaultProxy } from '../../support/fault-proxy';
import { type Cleanup } from '../../support/cleanup';
import { startRedis, type StartedRedis } from '../../support/redis';
import { startServer, type ServerProcess } from '../../support/server-process';
import { lastingPort } from './ports';
import { PostgresServer } from './postgres';
import { SandboxServer } from './sandbox';
import { mountSmallDisk } from './small-disk';

/** Short, so that many holds end while something is broken. */
export const HOLD_SECONDS = 2;

export const METRICS_TOKEN = 'what-the-chaos-reads-metrics-with';

export interface SystemOptions {
  onSmallDisk: boolean;
  withSandbox: boolean;
  withoutGuard: boolean;
}

/** What sets one start of a process apart from others. */
export interface Peculiarity {
  environment?: Record<string, string>;
  /** Options of Node. */
  execArgv?: string[];
}

/** An API or a worker, that can end and be started again at the same address. */
export class Member {
  private process?: ServerProcess;
  isRunning = false;

  constructor(
    readonly name: string,
    private readonly launch: (peculiarity: Peculiarity) => Promise<ServerProcess>,
    readonly url: string,
  ) {}

  get current(): ServerProcess {
    if (!this.process) throw new Error(`${this.name} is not running`);
    return this.process;
  }

  async start(peculiarity: Peculiarity = {}): Promise<void> {
    this.process = await this.launch(peculiarity);
    this.isRunning = true;
    void this.process.ended.then(() => (this.isRunning = false));
  }

  /** Stops it as a deployment does, and starts it again. */
  async restart(peculiarity: Peculiarity = {}): Promise<void> {
    await this.current.stop();
    await this.start(peculiarity);
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.current.pid, signal);
  }
}

/**
 * Everything that can break: PostgreSQL, Redis, two APIs and two workers. The second API and the second worker reach
 * PostgreSQL through a proxy.
 */
export class System {
  private constructor(
    readonly postgres: PostgresServer,
    readonly redis: RedisServer,
    readonly proxy: FaultProxy,
    readonly apis: readonly [Member, Member],
    readonly workers: readonly [Member, Member],
    /** The file system PostgreSQL is on, where it is one that can be filled up. */
    readonly smallDisk: string | undefined,
    readonly folder: string,
    /** Where it is needed: the party that takes the money. */
    readonly sandbox: SandboxServer | undefined,
  ) {}

  get members(): readonly Member[] {
    return [...this.apis, ...this.workers];
  }

  static async start(
    cleanup: Cleanup,
    logs: string,
    { onSmallDisk, withSandbox, withoutGuard }: SystemOptions,
  ): Promise<System> {
    const folder = await mkdtemp(join(tmpdir(), 'tixxety-chaos-'));
    cleanup.add(() => rm(folder, { recursive: true, force: true }));
    await chmod(folder, 0o755); // as root, PostgreSQL runs as somebody else
    const smallDisk = onSmallDisk ? await mountSmallDisk(join(folder, 'disk'), cleanup) : undefined;
    const [postgres, redis] = await Promise.all([
      PostgresServer.open(smallDisk ?? folder, cleanup),
      RedisServer.start(folder, cleanup),
    ]);
    if (withoutGuard) await postgres.sql('ALTER TABLE quotas DROP CONSTRAINT quotas_places_check');
    const proxy = await startFaultProxy(postgres.url);
    cleanup.add(() => proxy.cut());

    const apiPorts = [await lastingPort(), await lastingPort()] as const;
    const sandbox = withSandbox ? await SandboxServer.start(postgres.url, apiPorts, cleanup) : undefined;

    const member = async (name: string, role: 'api' | 'worker', databaseUrl: string, ownPort?: number) => {
      const port = ownPort ?? (await lastingPort());
      const launch = ({ environment = {}, execArgv = [] }: Peculiarity) =>
        startServer(
          {
            script: 'src/main.js',
            args: role === 'worker' ? ['--worker'] : [],
            execArgv: [
              ...(withoutGuard ? ['--require', join(__dirname, 'without-guard.js')] : []),
              ...execArgv,
            ],
            portVariable: role === 'worker' ? 'WORKER_PORT' : 'PORT',
            port,
            log: join(logs, `${name}.log`),
            environment: {
              DATABASE_URL: databaseUrl,
              REDIS_URL: redis.url,
              HOLD_SECONDS: String(HOLD_SECONDS),
              HOLD_COOL_DOWN_SECONDS: '0', // the same few users let thousands of holds lapse
              TRUST_PROXY: '1', // each customer has an address
              RATE_LIMIT_PER_MINUTE: '6000', // counted through Redis, and out of reach
              METRICS_TOKEN,
              ...sandbox?.environment,
              ...environment,
            },
          },
          cleanup,
        );
      const started = new Member(name, launch, `http://127.0.0.1:${port}`);
      await started.start();
      return started;
    };
    const [api1, api2, worker1, worker2] = await Promise.all([
      member('api-1', 'api', postgres.url, apiPorts[0]),
      member('api-2', 'api', proxy.url, apiPorts[1]),
      member('worker-1', 'worker', postgres.url),
      member('worker-2', 'worker', proxy.url),
    ]);
    return new System(postgres, redis, proxy, [api1, api2], [worker1, worker2], smallDisk, folder, sandbox);
  }
}

/** A `redis-server` that keeps its port however often it is killed. */
export class RedisServer {
  private server?: StartedRedis;

  private constructor(
    private readonly folder: string,
    private readonly port: number,
  ) {}

  static async start(folder: string, cleanup: Cleanup): Promise<RedisServer> {
    const redis = new RedisServer(folder, await lastingPort());
    cleanup.add(() => redis.kill());
    await redis.start();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.server = await startRedis(this.folder, this.port);
    if (!this.server) throw new StartupError('There is no redis-server on the PATH: install one.');
  }

  async kill(): Promise<void> {
    await this.server?.stop();
  }

  signal(signal: NodeJS.Signals): void {
    if (this.server) process.kill(this.server.pid, signal);
  }
}
