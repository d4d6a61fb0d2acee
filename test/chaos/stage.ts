import { setTimeout as sleep } from 'node:timers/promises';
import { parseExposition, valueOf } from '../support/exposition';
import { heldTickets, overdueSeconds } from './checks/database-check';
import type { Customers } from './clients/customers';
import { durations, quantile, type Call, type History } from './clients/history';
import { HttpClient, type HttpAnswer, type HttpRequest } from './clients/http';
import type { Market } from './clients/market';
import type { Random } from './random';
import { within, type Finding } from './faults/finding';
import { HOLD_SECONDS, METRICS_TOKEN, type Member, type System } from './system/system';

const POLL_MS = 50;
const GIVE_UP_MS = 30_000;
/** A hold that begins now falls due, and Bull may have waited a second before it tried Redis again. */
const BULL_WITHIN_MS = HOLD_SECONDS * 1_000 + 8_000;

/** The things a fault works with: all that runs, its customers, and ways to look at it. */
export class Stage {
  private readonly http = new HttpClient();

  constructor(
    readonly system: System,
    readonly market: Market,
    readonly history: History,
    private readonly customers: Customers,
    /** Draws for the faults. */
    readonly random: Random,
    /** Everything lasts as long as the table of faults says; else as short as will do to see it. */
    readonly isFull: boolean,
    /** How long the run is meant to go on. */
    readonly minutes: number,
    readonly say: (line: string) => void,
  ) {}

  /** Lets the customers go on for a while: the full length, or the brief one. */
  async wait(fullMs: number, briefMs = fullMs): Promise<void> {
    await sleep(this.isFull ? fullMs : briefMs);
  }

  /** Lets the customers go on. */
  serve(): void {
    this.customers.start();
  }

  /**
   * Lets everybody finish, and all holds end.
   *
   * @returns how long the holds took, in milliseconds
   */
  async waitForReleases(): Promise<number> {
    await this.customers.pause();
    return await this.until(async () => (await heldTickets(this.system.postgres)) === 0);
  }

  /** The calls that ended while `work` was under way. */
  async callsWhile(work: () => Promise<unknown>): Promise<Call[]> {
    const { mark } = this.history;
    await work();
    return this.history.since(mark);
  }

  /** For how long, at most, any hold was overdue while `work` was under way, in milliseconds. */
  async mostOverdueWhile(work: () => Promise<unknown>): Promise<number> {
    let isOver = false;
    let most = 0;
    const look = async () => {
      while (!isOver) {
        most = Math.max(most, (await overdueSeconds(this.system.postgres).catch(() => 0)) * 1_000);
        await sleep(POLL_MS);
      }
    };
    const looking = look();
    await work().finally(() => (isOver = true));
    await looking;
    return most;
  }

  /** One request to one of the processes, by a client of its own. */
  async ask({ url }: Pick<Member, 'url'>, request: HttpRequest): Promise<HttpAnswer> {
    return await this.http.send(url, request);
  }

  async readiness(member: Member): Promise<HttpAnswer | undefined> {
    return await this.ask(member, { method: 'GET', path: '/health/ready' }).catch(() => undefined);
  }

  /** A reservation without competitors, at one of the APIs. */
  async reserve(api: number, key?: string): Promise<Call> {
    const [user, event] = [this.random.pick(this.market.users), this.random.pick(this.market.plentiful)];
    return await this.customers.callAt(api, { action: 'reserve', user, event }, key);
  }

  /** The same reservation again with the same key, at one of the APIs. */
  async repeat({ user, event, key }: Call, api: number): Promise<Call> {
    return await this.customers.callAt(api, { action: 'reserve', user, event }, key);
  }

  /** Lists a random user's tickets, at one of the APIs. */
  async list(api: number): Promise<Call> {
    return await this.customers.callAt(api, {
      action: 'list',
      user: this.random.pick(this.market.users),
      event: 0,
    });
  }

  /** How long it takes until each API makes a reservation, in milliseconds. */
  async untilAllReserve(): Promise<number> {
    const begun = performance.now();
    for (const api of this.system.apis.keys()) {
      await this.until(async () => (await this.reserve(api)).outcome === 'ok');
    }
    return performance.now() - begun;
  }

  /** How long it takes until `isSo`, in milliseconds; as long as it was waited for where it never is. */
  async until(isSo: () => Promise<boolean>, limitMs = GIVE_UP_MS): Promise<number> {
    const begun = performance.now();
    while (!(await isSo().catch(() => false)) && performance.now() - begun < limitMs) await sleep(POLL_MS);
    return performance.now() - begun;
  }

  /** A metric of some processes added up; those that do not answer count for nothing. */
  async metric(
    members: readonly Member[],
    name: string,
    labels: Record<string, string> = {},
  ): Promise<number> {
    const values = await Promise.all(
      members.map(async (member) => {
        const text = await this.scrape(member).catch(() => '');
        return valueOf(parseExposition(text), name, labels) ?? 0;
      }),
    );
    return values.reduce((sum, value) => sum + value, 0);
  }

  /** Holds that were ended because Bull woke a worker. */
  async releasesByBull(): Promise<number> {
    return await this.metric(this.system.workers, 'tixxety_hold_lateness_seconds_count', { trigger: 'bull' });
  }

  /** How long the hold that is most overdue has been due, in milliseconds. */
  async overdue(): Promise<number> {
    return (await overdueSeconds(this.system.postgres)) * 1_000;
  }

  /** Whether Bull wakes workers again, by itself. */
  async bullTakesOver(): Promise<Finding> {
    const before = await this.releasesByBull();
    const taken = await this.until(
      async () => (await this.releasesByBull()) > before + 5,
      BULL_WITHIN_MS * 2,
    );
    return within('Bull ends holds again', taken, BULL_WITHIN_MS);
  }

  close(): void {
    this.http.close();
  }

  private async scrape({ url }: Member): Promise<string> {
    const answer = await fetch(`${url}/metrics`, { headers: { Authorization: `Bearer ${METRICS_TOKEN}` } });
    return await answer.text();
  }
}

/** The latency that 99 of 100 successful calls keep below, in milliseconds. */
export const p99Of = (calls: readonly Call[]) => quantile(durations(calls.filter(isDone)), 0.99);

const isDone = ({ outcome }: Call) => outcome !== 'unknown';
