import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { tokenOf } from '../../support/tokens';
import { Random } from '../random';
import { HOLD_SECONDS } from '../system/system';
import type { Balancer, Delivery } from './balancer';
import type { Call, History, Outcome } from './history';
import type { HttpAnswer, HttpRequest } from './http';
import type { Market } from './market';

/** At once; each of them takes one step after the other. */
const CUSTOMERS = 24;
const PAUSE_MS: [number, number] = [10, 80];
const RETRY_MS = 150;
/** A key is tried until it is answered, or for so long; longer than any fault lasts. */
const GIVE_UP_MS = 60_000;
const TOKEN_REFRESH_MS = 300_000;

type Intent = Pick<Call, 'action' | 'user' | 'event' | 'ticket'>;

/** People who reserve and then pay, cancel, let go or come too late; the seed decides what each does. */
export class Customers {
  private readonly randoms: Random[];
  private readonly tokens = new Map<number, { token: string; madeAt: number }>();
  private loops: Promise<void>[] = [];
  private isOpen = false;
  private isOver = false;

  constructor(
    seed: number,
    private readonly balancer: Balancer,
    private readonly market: Market,
    private readonly history: History,
  ) {
    this.randoms = Array.from({ length: CUSTOMERS }, (_, i) => new Random(seed, `customer ${i}`));
  }

  /** Everybody begins, or goes on. */
  start(): void {
    this.isOpen = true;
    this.loops = this.randoms.map((random, i) => this.shop(i, random));
  }

  /** The customers begin nothing new; resolves when all have their answers. */
  async pause(): Promise<void> {
    this.isOpen = false;
    await Promise.all(this.loops);
  }

  /** Everybody gives up. */
  stop(): void {
    this.isOpen = false;
    this.isOver = true;
  }

  /** One call at one API and no other, told to the history like any. */
  async callAt(api: number, intent: Intent, key?: string): Promise<Call> {
    return await this.note(intent, key, (request) => this.balancer.sendTo(api, request));
  }

  private async shop(customer: number, random: Random): Promise<void> {
    while (this.isOpen) {
      await this.buy(customer, random);
      await sleep(random.between(...PAUSE_MS));
    }
  }

  /** One reservation and what becomes of it. */
  private async buy(customer: number, random: Random): Promise<void> {
    // Each customer has users of their own, so that every change is known to be theirs.
    const own = this.market.users.filter((_, i) => i % CUSTOMERS === customer);
    const user = random.pick(own);
    const event = await this.market.choose(random);
    const plan = random.fraction();
    const isKeyed = [random.isLucky(0.4), random.isLucky(0.4)];
    const pause = random.between(...PAUSE_MS);

    const reserved = await this.attempt(customer, { action: 'reserve', user, event }, isKeyed[0]);
    if (reserved.outcome !== 'ok') return;
    const ticket = { user, event, ticket: reserved.ticket };
    if (plan < 0.1)
      await sleep(HOLD_SECONDS * 1_000 + pause); // too late
    else await sleep(pause);
    if (plan < 0.6) await this.attempt(customer, { action: 'pay', ...ticket }, isKeyed[1]);
    else if (plan < 0.8) await this.attempt(customer, { action: 'cancel', ...ticket }, isKeyed[1]);
    if (plan > 0.4) await this.attempt(customer + 1, { action: 'get', ...ticket }, false);
  }

  /** Calls once, or with a key until there is an answer. */
  private async attempt(customer: number, intent: Intent, isKeyed = false): Promise<Call> {
    if (!isKeyed) return await this.call(customer, intent);
    const key = randomUUID();
    const end = performance.now() + GIVE_UP_MS;
    for (let tries = 0; ; tries++) {
      const call = await this.call(customer + tries, intent, key);
      const isAnswered = call.outcome !== 'unknown' && call.code !== 'idempotency_in_progress';
      if (isAnswered || this.isOver || performance.now() > end) return call;
      await sleep(RETRY_MS);
    }
  }

  private async call(preferred: number, intent: Intent, key?: string): Promise<Call> {
    return await this.note(intent, key, (request) => this.balancer.send(preferred % 2, request));
  }

  private async note(
    intent: Intent,
    key: string | undefined,
    send: (request: HttpRequest) => Promise<Delivery>,
  ): Promise<Call> {
    const from = performance.now();
    const delivery = await send(this.requestOf(intent, key));
    const call: Call = { ...intent, key, api: delivery.api, outcome: 'unknown', from, to: performance.now() };
    if ('answer' in delivery) {
      const { status, headers, body } = delivery.answer;
      Object.assign(call, {
        status,
        code: body.code,
        outcome: outcomeOf(status),
        hasRetryAfter: headers['retry-after'] !== undefined,
        ...(status < 300 && intent.action !== 'list' && { ticket: body.id, told: body.status }),
        ...(status === 201 && { hold: holdOf(body) }),
      } satisfies Partial<Call>);
    } else call.error = delivery.error;
    this.history.add(call);
    return call;
  }

  private requestOf({ action, user, event, ticket }: Intent, key?: string): HttpRequest {
    const token = this.tokenOf(user);
    if (action === 'reserve')
      return { method: 'POST', path: '/tickets/', body: { event_id: event }, token, key };
    if (action === 'list') return { method: 'GET', path: `/users/${user}/tickets`, token };
    if (action === 'get') return { method: 'GET', path: `/tickets/${ticket}`, token };
    return { method: 'POST', path: `/tickets/${ticket}/${action}`, token, key };
  }

  private tokenOf(user: number): string {
    const now = performance.now();
    const known = this.tokens.get(user);
    if (known && now - known.madeAt < TOKEN_REFRESH_MS) return known.token;
    const token = tokenOf(user);
    this.tokens.set(user, { token, madeAt: now });
    return token;
  }
}

const outcomeOf = (status: number): Outcome => (status < 300 ? 'ok' : status < 500 ? 'refused' : 'unknown');

const holdOf = (body: HttpAnswer['body']) => ({
  lastsMs: Date.parse(String(body.expires_at)) - Date.parse(String(body.created_at)),
  leftMs: Number(body.expires_in_ms),
});
