import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { tokenOf } from '../../support/tokens';
import { Random } from '../random';
import { HOLD_SECONDS } from '../system/system';
import type { Balancer, Delivery } from './balancer';
import { CODE, type Offer } from './box-office';
import type { Call, History, Outcome } from './history';
import type { HttpRequest } from './http';
import { madeOf, requestOf, type Intent } from './intents';
import type { Market } from './market';

/** At once; each of them takes one step after the other. */
const CUSTOMERS = 24;
const PAUSE_MS: [number, number] = [10, 80];
const RETRY_MS = 150;
/** A key is tried until it is answered, or for so long; longer than any fault lasts. */
const GIVE_UP_MS = 60_000;
const TOKEN_REFRESH_MS = 300_000;

/** Tickets of an order: from one on. */
const MOST_TICKETS = 8;

/** People who reserve or order and then pay, cancel, let go or come too late; the seed decides what each does. */
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

  /** One reservation or order and what becomes of it; now and then two at once, as a double click makes them. */
  private async buy(customer: number, random: Random): Promise<void> {
    // Each customer has users of their own, so that every change is known to be theirs.
    const own = this.market.users.filter((_, i) => i % CUSTOMERS === customer);
    const user = random.pick(own);
    const choice = await this.market.choose(random);
    const { event } = choice;
    const wishes = Array.from({ length: random.isLucky(0.15) ? 2 : 1 }, () => ({
      intent: { action: 'reserve' as const, user, event, ...(choice.types && orderOf(choice, random)) },
      plan: random.fraction(),
      isKeyed: [random.isLucky(0.4), random.isLucky(0.4)] as const,
      pause: random.between(...PAUSE_MS),
    }));
    await Promise.all(wishes.map((wish) => this.fulfil(customer, wish)));
  }

  private async fulfil(
    customer: number,
    {
      intent,
      plan,
      isKeyed,
      pause,
    }: { intent: Intent; plan: number; isKeyed: readonly boolean[]; pause: number },
  ): Promise<void> {
    const { user, event, ticket, order, outcome } = await this.attempt(customer, intent, isKeyed[0]);
    if (outcome !== 'ok') return;
    const booked = { user, event, ticket, ...(order && { order }) };
    if (plan < 0.1)
      await sleep(HOLD_SECONDS * 1_000 + pause); // too late
    else await sleep(pause);
    if (plan < 0.6) await this.attempt(customer, { action: 'pay', ...booked }, isKeyed[1]);
    else if (plan < 0.8) await this.attempt(customer, { action: 'cancel', ...booked }, isKeyed[1]);
    if (plan > 0.4) await this.attempt(customer + 1, { action: 'get', ...booked }, false);
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
        code: status < 300 ? undefined : body.code,
        outcome: outcomeOf(status),
        hasRetryAfter: headers['retry-after'] !== undefined,
        ...(status < 300 && madeOf(intent, body)),
      } satisfies Partial<Call>);
    } else call.error = delivery.error;
    this.history.add(call);
    return call;
  }

  private requestOf(intent: Intent, key?: string): HttpRequest {
    // Cash is taken by the organizer.
    const isCash = intent.action === 'pay' && (intent.order?.total ?? 0) > 0;
    return requestOf(intent, this.tokenOf(isCash ? this.market.organizer : intent.user), key);
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

/** One to three types of an event, and at times a code. */
function orderOf({ types, codeChance }: Offer, random: Random): Pick<Call, 'items' | 'discount'> {
  const quantities = new Map<number, number>();
  for (let left = random.between(1, MOST_TICKETS); left > 0; left--) {
    const type = random.pick(types);
    quantities.set(type, (quantities.get(type) ?? 0) + 1);
  }
  const items = [...quantities].map(([ticket_type_id, quantity]) => ({ ticket_type_id, quantity }));
  return { items, ...(random.isLucky(codeChance) && { discount: CODE }) };
}
