import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { METHODS } from '../../../src/payments/sandbox/server/methods';
import { TEST_ADMIN, tokenOf } from '../../support/tokens';
import { Random } from '../random';
import type { PricedSales } from '../fill/priced-event';
import { HOLD_SECONDS } from '../system/system';
import type { Balancer } from './balancer';
import type { HttpAnswer, HttpRequest } from './http';

const BUYERS = 10;
const PAUSE_MS: [number, number] = [20, 150];
const RETRY_MS = 100;
/** Longer than any process is away. */
const GIVE_UP_MS = 10_000;
const ALL_METHODS = Object.keys(METHODS);

/** People who order tickets with a price and pay in every way there is, and an organizer who gives money back. */
export class Buyers {
  /** Orders that an answer called paid. */
  readonly paid = new Set<string>();
  private readonly randoms: Random[];
  private loops: Promise<void>[] = [];
  private isOpen = false;

  constructor(
    seed: number,
    private readonly balancer: Balancer,
    private readonly sales: PricedSales,
  ) {
    this.randoms = Array.from({ length: BUYERS }, (_, i) => new Random(seed, `buyer ${i}`));
  }

  start(): void {
    this.isOpen = true;
    this.loops = this.randoms.map((random, i) => this.shop(i, random));
  }

  /** The buyers begin nothing new; resolves when all are done. */
  async pause(): Promise<void> {
    this.isOpen = false;
    await Promise.all(this.loops);
  }

  /** The organizer asks for a refund again that failed. */
  async retryRefund(id: number): Promise<void> {
    await this.insist(0, { method: 'POST', path: `/refunds/${id}/retry`, token: admin(), body: {} });
  }

  private async shop(buyer: number, random: Random): Promise<void> {
    while (this.isOpen) {
      await this.buy(buyer, random);
      await sleep(random.between(...PAUSE_MS));
    }
  }

  private async buy(buyer: number, random: Random): Promise<void> {
    const token = tokenOf(random.pick(this.sales.users.filter((_, i) => i % BUYERS === buyer)));
    const event = this.sales.current;
    const items = [{ ticket_type_id: event.type, quantity: random.between(1, 3) }];
    const plan = { method: random.pick(ALL_METHODS), then: random.fraction(), late: random.isLucky(0.1) };
    const twice = random.isLucky(0.2);
    const isKeyed = random.isLucky(0.5);
    const refunds = random.isLucky(0.3) ? 2 : 1;
    const order = await this.insist(buyer, {
      method: 'POST',
      path: '/orders',
      token,
      body: { event_id: event.id, items },
    });
    if (order?.status === 409) await this.sales.next(event);
    const code = order?.body.code;
    if (order?.status !== 201 || code === undefined) return;
    if (plan.late) await sleep(HOLD_SECONDS * 1_000 - random.between(0, 200));
    const pay = () => this.pay(buyer, code, token, plan.method, isKeyed);
    await Promise.all([pay(), ...(twice ? [pay()] : [])]);
    if (plan.then < 0.15) await this.insist(buyer, { method: 'POST', path: `/orders/${code}/cancel`, token });
    else if (plan.then < 0.45) {
      const refund = () => this.refund(buyer, code, random);
      await Promise.all(Array.from({ length: refunds }, refund));
    }
    const shown = await this.insist(buyer, { method: 'GET', path: `/orders/${code}`, token });
    if (shown?.body.status === 'paid') this.paid.add(code);
  }

  private async pay(
    buyer: number,
    code: string,
    token: string,
    method: string,
    isKeyed: boolean,
  ): Promise<void> {
    const answer = await this.insist(
      buyer,
      { method: 'POST', path: `/orders/${code}/payments`, token, body: { payment_method: method } },
      isKeyed,
    );
    const { redirect_url } = answer?.body ?? {};
    if (typeof redirect_url === 'string')
      await fetch(redirect_url, { method: 'POST', redirect: 'manual' }).catch(() => undefined);
  }

  private async refund(buyer: number, code: string, random: Random): Promise<void> {
    const [share, isAll] = [random.between(1, 500), random.isLucky(0.5)];
    await this.insist(buyer, {
      method: 'POST',
      path: `/orders/${code}/refunds`,
      token: admin(),
      body: isAll ? {} : { amount: share },
    });
  }

  /** Asks until there is an answer; without a key, each try is another request. */
  private async insist(
    preferred: number,
    request: HttpRequest,
    isKeyed = request.method === 'POST',
  ): Promise<HttpAnswer | undefined> {
    const key = isKeyed ? randomUUID() : undefined;
    const end = performance.now() + GIVE_UP_MS;
    for (let tries = 0; performance.now() < end; tries++) {
      const delivery = await this.balancer.send((preferred + tries) % 2, { ...request, ...(key && { key }) });
      if ('answer' in delivery && isFinal(delivery.answer)) return delivery.answer;
      await sleep(RETRY_MS);
    }
    return undefined;
  }
}

const isFinal = ({ status, body }: HttpAnswer) =>
  status < 500 && body.code !== 'idempotency_in_progress' && body.code !== 'payment_in_progress';

const admin = () => tokenOf(TEST_ADMIN.id, 'admin');
