import { addEvents, addUsers } from './fill/world';
import { analyzeTables } from './fill/bulk';
import type { Cleanup } from '../support/cleanup';
import type { Database, DatabaseServer } from './harness/database';
import { LoadProcess } from './harness/load';
import { startServer, type ServerProcess } from '../support/server-process';
import { LONG_HOLD_SECONDS, type Ids, type LoadResult } from './load/job';

export interface Terms {
  rounds: number;
  /** Length of one measurement. */
  seconds: number;
  /** Share of the sizes that are asked for. */
  scale: number;
  /** Where CPU profiles of the API go. */
  profile: string | undefined;
}

/** A database and an API on it. */
export interface Site {
  database: Database;
  api: ServerProcess;
  users: Ids;
}

/** As `npm start` and the container start the API. */
const NODE_FLAGS = ['--max-semi-space-size=32'];

const USERS = 100_000;

export const LONG_HOLD = { HOLD_SECONDS: String(LONG_HOLD_SECONDS) };

/** What the parts share: services, databases and processes, each made when it is first needed. */
export class Bench {
  readonly load: LoadProcess;

  constructor(
    readonly terms: Terms,
    readonly server: DatabaseServer,
    readonly cleanup: Cleanup,
    readonly say: (line: string) => void,
  ) {
    this.load = LoadProcess.start(cleanup);
  }

  /** For what has many cases. */
  get shortTerms(): Pick<Terms, 'rounds' | 'seconds'> {
    return { rounds: this.terms.rounds, seconds: this.terms.seconds / 2 };
  }

  /** All databases so far but the template, for the count of the seats at the end. */
  readonly databases: Database[] = [];

  /** Connections of the load. */
  readonly connections = 64;

  /** Migrated and with users, to be copied. */
  readonly template = once(async () => {
    const database = await this.server.createDatabase();
    const users = await addUsers(database, USERS);
    await analyzeTables(database, 'users');
    return { database, users };
  });

  /** A database with few rows and the API on it, as most parts want it. */
  readonly few = once(() => this.createSite());

  /** The same with a million events, and some more to page beyond. */
  readonly million = once(async () => {
    const count = this.sized(1_001_000);
    return await this.timed(`Filling: ${count.toLocaleString('en')} events`, () =>
      this.createSite(async (database) => {
        await addEvents(database, { count, when: 'future' });
        await analyzeTables(database, 'events', 'quotas', 'ticket_types');
      }),
    );
  });

  /** Says what takes a while, and how long it took. */
  async timed<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
    this.say(what);
    const start = performance.now();
    const result = await work();
    this.say(`  took ${((performance.now() - start) / 1_000).toFixed(1)} s`);
    return result;
  }

  /** Says what one measurement came to. */
  readonly tell = (name: string, round: number, { perSecond, p50, p99, unexpected }: LoadResult) => {
    const times = `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
    const odd = unexpected > 0 ? `, ${unexpected} UNEXPECTED ANSWERS` : '';
    this.say(`  round ${round}, ${name}: ${Math.round(perSecond)}/s, ${times}${odd}`);
  };

  /** A size that is asked for, at the scale of this run. */
  sized(count: number): number {
    return Math.ceil(count * this.terms.scale);
  }

  /** A database of its own, filled by `fill`, and an API on it that holds seats for a day. */
  async createSite(fill?: (database: Database) => Promise<void>, script?: string): Promise<Site> {
    const { database, users } = await this.copyTemplate();
    await fill?.(database);
    return { database, users, api: await this.startApi(database, LONG_HOLD, script) };
  }

  async copyTemplate(): Promise<Omit<Site, 'api'>> {
    const { database, users } = await this.template();
    const copy = await this.server.createDatabase(database);
    this.databases.push(copy);
    return { users, database: copy };
  }

  async startApi(
    database: Database,
    environment: Record<string, string>,
    script = 'src/main.js',
  ): Promise<ServerProcess> {
    const { profile } = this.terms;
    return await startServer(
      {
        script,
        execArgv: [
          ...NODE_FLAGS,
          ...(profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profile]),
        ],
        environment: { DATABASE_URL: database.url, TRUST_PROXY: '1', ...environment },
      },
      this.cleanup,
    );
  }

  async startWorker(database: Database, environment: Record<string, string>): Promise<ServerProcess> {
    return await startServer(
      {
        script: 'src/main.js',
        args: ['--worker'],
        environment: { DATABASE_URL: database.url, ...environment },
        portVariable: 'WORKER_PORT',
      },
      this.cleanup,
    );
  }

  /** One reservation, one statement; in a database of its own, for every API releases what is due in its database. */
  readonly oneStatement = once(() => this.createSite(undefined, 'test/bench/one-statement-api.js'));

  readonly bareExpress = once(() => this.startExpress({}));

  async startExpress(environment: Record<string, string>): Promise<ServerProcess> {
    const script = 'test/bench/bare-express.js';
    return await startServer({ script, execArgv: NODE_FLAGS, environment }, this.cleanup);
  }
}

/** Remembers what `make` made the first time. */
export function once<Result>(make: () => Promise<Result>): () => Promise<Result> {
  let made: Promise<Result> | undefined;
  return () => (made ??= make());
}
