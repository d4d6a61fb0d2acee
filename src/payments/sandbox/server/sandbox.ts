import { Pool, types } from 'pg';
import { EventSender } from './event-sender';
import { Payments } from './payments';
import { Refunds } from './refunds';
import { createSchema, hasSchema } from './schema';
import { SwitchBoard } from './switches';

export interface SandboxOptions {
  /** The PostgreSQL in whose schema `sandbox` it keeps its books. */
  databaseUrl: string;
  /** Where it is reached, such as `http://127.0.0.1:8000/sandbox`; a server learns its port late. */
  url: () => string;
  /** Where its events go. */
  eventsUrl: () => string;
  /** The account's secret key: callers show it, and events are signed with it. */
  secret: string;
}

const BIGINT: number = types.builtins.INT8;
/** The driver would hand a bigint over as text. */
const getTypeParser = ((type: number, format: 'text') =>
  type === BIGINT
    ? Number
    : (types.getTypeParser as (type: number, format: 'text') => unknown)(
        type,
        format,
      )) as typeof types.getTypeParser;

const LOOK_EVERY_MS = 100;
/** A process that is not asked anything looks once for what an earlier one left behind. */
const FIRST_LOOK_MS = 1_000;

/**
 * A payment provider for development and tests, which takes no real money. It is another party: it knows nothing of orders,
 * keeps books of its own, and is reached over HTTP alone. Any number of processes may serve the same books.
 */
export class Sandbox {
  readonly payments: Payments;
  readonly refunds: Refunds;
  readonly switches: SwitchBoard;
  private readonly sender: EventSender;
  private readonly pool: Pool;
  private opening?: Promise<void>;
  private timer?: NodeJS.Timeout;
  private looking: Promise<void> = Promise.resolve();
  private isStopped = false;

  constructor(readonly options: SandboxOptions) {
    this.pool = new Pool({
      connectionString: options.databaseUrl,
      application_name: 'tixxety sandbox',
      max: 8,
      idleTimeoutMillis: 2_000,
      connectionTimeoutMillis: 2_000,
      query_timeout: 5_000,
      types: { getTypeParser },
    });
    // One that breaks is replaced by the next query; the statement that is under way fails, and tells.
    this.pool.on('error', () => undefined).on('connect', (client) => client.on('error', () => undefined));
    this.sender = new EventSender(this.pool, options.eventsUrl, options.secret);
    this.payments = new Payments(this.pool, this.sender, (action) => `${options.url()}/actions/${action}`);
    this.refunds = new Refunds(this.pool, this.sender);
    this.switches = new SwitchBoard(this.pool);
    this.timer = setTimeout(() => void this.resume(), FIRST_LOOK_MS).unref();
  }

  /** Opens the books, which are made where there are none, and goes on with what is unfinished in them. */
  async open(): Promise<void> {
    this.opening ??= this.makeReady().catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    await this.opening;
  }

  /** Sends no more events, while it still answers. The others are sent after the next start. */
  async stopSending(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.looking;
    await this.sender.stop();
  }

  async stop(): Promise<void> {
    await this.stopSending();
    await this.pool.end();
  }

  private async makeReady(): Promise<void> {
    await createSchema(this.pool);
    clearTimeout(this.timer);
    this.schedule();
  }

  /** Where there are books, an earlier process may have been killed over them. */
  private async resume(): Promise<void> {
    try {
      if (await hasSchema(this.pool)) await this.open();
    } catch {
      // The first request opens them.
    }
  }

  private schedule(): void {
    if (this.isStopped) return;
    this.timer = setTimeout(() => {
      this.looking = this.look().finally(() => this.schedule());
    }, LOOK_EVERY_MS).unref();
  }

  private async look(): Promise<void> {
    try {
      await this.sender.forgetDelivered();
      await this.payments.succeedDue();
      await this.refunds.returnDue();
      await this.sender.sweep();
    } catch {
      // The database is away: the next look tries again.
    }
  }
}
