import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHARGE, DISPUTE, PAYMENT_INTENT, REFUND, type Intent } from './stripe-shapes';

export const STRIPE_KEY = 'sk_test_a-key-of-stripe-for-tests';

/** What it is asked, as it came. */
interface Call {
  method: string;
  path: string;
  key: string | undefined;
  params: Record<string, string>;
}

/** A server with the part of Stripe's API that we use, and with Stripe's shapes. It takes no money. */
export interface StripeServer {
  url: string;
  calls: Call[];
  intents: Map<string, Intent>;
  /** The buyer's browser pays with the client secret. */
  confirm(id: string, method?: string): void;
  /** Opens a dispute of so much of a payment, or lets the last one that is so be in another state. */
  dispute(id: string, status: string, amount?: number): void;
  /** The buyer's bank sends back what the refunds of a payment gave. */
  returnRefunds(id: string): void;
  /** How it misbehaves from now on: it takes so long, or answers with this instead. */
  faults: { delayMs: number; answer?: { status: number; body: string } };
  stop(): Promise<void>;
}

class StripeError extends Error {
  constructor(
    readonly status: number,
    readonly fields: Record<string, unknown>,
  ) {
    super(String(fields.code));
  }
}

const invalid = (code: string, fields: object = {}) =>
  new StripeError(400, { type: 'invalid_request_error', code, message: `About ${STRIPE_KEY}`, ...fields });

export async function startStripe(): Promise<StripeServer> {
  const account = new Account();
  const server = createServer((request, response) => void answer(request, response));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://stripe');
    const params = Object.fromEntries(request.method === 'GET' ? searchParams : new URLSearchParams(body));
    const key = request.headers['idempotency-key'] as string | undefined;
    const call = { method: request.method ?? '', path: pathname, key, params };
    stripe.calls.push(call);
    const { delayMs, answer: instead } = stripe.faults;
    await sleep(delayMs);
    const { status, json } = account.answer(call, request.headers.authorization);
    response.writeHead(instead?.status ?? status, {
      'Content-Type': 'application/json',
      'Request-Id': `req_${stripe.calls.length}`,
    });
    response.end(instead?.body ?? json);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stripe: StripeServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: [],
    intents: account.intents,
    confirm: (id, method = 'pm_card_visa') => account.confirm(account.intent(id), method),
    dispute: (id, status, amount) => account.dispute(account.intent(id), status, amount),
    returnRefunds: (id) => {
      for (const refund of account.refunds)
        if (refund.payment_intent === id)
          Object.assign(refund, { status: 'failed', failure_reason: 'lost_or_stolen_card' });
    },
    faults: { delayMs: 0 },
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return stripe;
}

class Account {
  readonly intents = new Map<string, Intent>();
  readonly refunds: (typeof REFUND)[] = [];
  /** Newest first. */
  readonly disputes: (typeof DISPUTE)[] = [];
  private readonly answers = new Map<string, { params: string; status: number; json: string }>();
  private number = 0;

  /** The first answer to a key is sent again, whatever it was. */
  answer({ method, path, key, params }: Call, authorization = ''): { status: number; json: string } {
    const asked = JSON.stringify([path, params]);
    const first = key === undefined ? undefined : this.answers.get(key);
    if (first) {
      if (first.params === asked) return first;
      return this.refusal(new StripeError(400, { type: 'idempotency_error', message: 'Other parameters' }));
    }
    try {
      if (authorization !== `Bearer ${STRIPE_KEY}`)
        throw new StripeError(401, {
          type: 'invalid_request_error',
          message: `Invalid API Key provided: ${authorization}`,
        });
      const answer = { status: 200, json: JSON.stringify(this.route(method, path, params)) };
      if (key !== undefined) this.answers.set(key, { params: asked, ...answer });
      return answer;
    } catch (error) {
      const answer = this.refusal(error as StripeError);
      if (key !== undefined && answer.status === 402) this.answers.set(key, { params: asked, ...answer });
      return answer;
    }
  }

  intent(id: string): Intent {
    const intent = this.intents.get(id);
    if (!intent) throw new StripeError(404, { type: 'invalid_request_error', code: 'resource_missing' });
    return intent;
  }

  confirm(intent: Intent, method: string): void {
    intent.payment_method = method;
    if (method === 'pm_card_chargeDeclined') {
      intent.last_payment_error = {
        type: 'card_error',
        code: 'card_declined',
        decline_code: 'generic_decline',
      };
      return;
    }
    if (method === 'pm_card_threeDSecure2Required') {
      intent.status = 'requires_action';
      intent.next_action = {
        type: 'redirect_to_url',
        redirect_to_url: { url: 'https://hooks.stripe.com/3d' },
      };
      return;
    }
    Object.assign(intent, { status: 'succeeded', amount_received: intent.amount, next_action: null });
    intent.latest_charge = { ...CHARGE, id: `ch_${++this.number}`, payment_intent: intent.id };
  }

  dispute(intent: Intent, status: string, amount?: number): void {
    if (amount === undefined) {
      Object.assign(this.disputesOf(intent.id)[0] ?? {}, { status });
      return;
    }
    const { id, currency } = intent;
    this.disputes.unshift({
      ...DISPUTE,
      id: `dp_${++this.number}`,
      payment_intent: id,
      status,
      amount,
      currency,
      created: Math.floor(Date.now() / 1_000),
    });
  }

  private disputesOf(id: string | undefined) {
    return this.disputes.filter(({ payment_intent }) => payment_intent === id);
  }

  private refusal({ status, fields }: StripeError) {
    return { status, json: JSON.stringify({ error: fields }) };
  }

  private route(method: string, path: string, params: Record<string, string>): object {
    const [, , kind, id = '', action] = path.split('/');
    if (kind === 'payment_intents' && method === 'POST')
      return id === '' ? this.create(params) : this.cancel(id);
    if (kind === 'payment_intents' && id !== '')
      return this.expanded(this.intent(id), params['expand[0]'] === 'latest_charge');
    if (kind === 'payment_intents') return this.list(params);
    if (kind === 'refunds' && method === 'POST') return this.refund(params);
    if (kind === 'refunds')
      return listOf(
        this.refunds.filter((refund) => refund.payment_intent === params.payment_intent).reverse(),
      );
    if (kind === 'disputes') {
      const since = Number(params['created[gte]'] ?? 0);
      const listed =
        params.payment_intent === undefined ? this.disputes : this.disputesOf(params.payment_intent);
      return listOf(listed.filter(({ created }) => created >= since).slice(0, Number(params.limit)));
    }
    throw new StripeError(404, { type: 'invalid_request_error', message: `No route ${path} ${action}` });
  }

  private create(params: Record<string, string>): Intent {
    const id = `pi_${String(++this.number).padStart(8, '0')}`;
    const intent: Intent = {
      ...structuredClone(PAYMENT_INTENT),
      id,
      amount: Number(params.amount),
      currency: params.currency ?? '',
      client_secret: `${id}_secret_x`,
      created: Math.floor(Date.now() / 1_000),
      metadata: metadataIn(params),
    };
    this.intents.set(id, intent);
    if (params.confirm !== 'true') return intent;
    this.confirm(intent, params.payment_method ?? '');
    if (intent.last_payment_error)
      throw new StripeError(402, {
        ...intent.last_payment_error,
        message: 'Declined',
        payment_intent: intent,
      });
    return intent;
  }

  private cancel(id: string): Intent {
    const intent = this.intent(id);
    if (['succeeded', 'canceled', 'processing'].includes(intent.status))
      throw invalid('payment_intent_unexpected_state', { payment_intent: intent });
    return Object.assign(intent, { status: 'canceled', canceled_at: Math.floor(Date.now() / 1_000) });
  }

  private refund(params: Record<string, string>) {
    const intent = this.intent(params.payment_intent ?? '');
    const amount = Number(params.amount);
    const left = intent.amount_received - this.givenBack(intent);
    if (this.disputesOf(intent.id).some(({ status }) => status !== 'won')) throw invalid('charge_disputed');
    if (amount > left) throw invalid('amount_too_large');
    const refund = {
      ...REFUND,
      id: `re_${++this.number}`,
      amount,
      currency: intent.currency,
      payment_intent: intent.id,
    };
    refund.metadata = metadataIn(params);
    this.refunds.push(refund);
    return refund;
  }

  private givenBack({ id }: Intent): number {
    const given = this.refunds.filter(
      ({ payment_intent, status }) => payment_intent === id && status !== 'failed',
    );
    return given.reduce((sum, { amount }) => sum + amount, 0);
  }

  /** Newest first. */
  private list(params: Record<string, string>) {
    const { starting_after, ending_before } = params;
    const limit = Number(params.limit ?? 10);
    const from = Number(params['created[gte]'] ?? 0);
    const until = Number(params['created[lte]'] ?? Infinity);
    const all = [...this.intents.values()]
      .filter(({ created }) => created >= from && created <= until)
      .sort((a, b) => b.created - a.created || b.id.localeCompare(a.id));
    const expanded = (intent: Intent) => this.expanded(intent, params['expand[0]'] === 'data.latest_charge');
    const start = starting_after === undefined ? 0 : all.findIndex(({ id }) => id === starting_after) + 1;
    if (ending_before !== undefined) {
      const end = all.findIndex(({ id }) => id === ending_before);
      const first = Math.max(0, end - limit);
      return listOf(all.slice(first, end).map(expanded), first > 0);
    }
    return listOf(all.slice(start, start + limit).map(expanded), all.length > start + limit);
  }

  private expanded(intent: Intent, isExpanded: boolean): object {
    const { latest_charge: charge } = intent;
    if (charge === null || typeof charge === 'string') return intent;
    const amount_refunded = this.givenBack(intent);
    const disputed = this.disputesOf(intent.id).length > 0;
    return {
      ...intent,
      latest_charge: isExpanded ? { ...charge, disputed, amount_refunded } : (charge as { id: string }).id,
    };
  }
}

const listOf = (data: object[], has_more = false) => ({ object: 'list', url: '/v1/list', data, has_more });

const metadataIn = (params: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(params).flatMap(([name, value]) => {
      const [, field] = /^metadata\[(\w+)\]$/.exec(name) ?? [];
      return field === undefined ? [] : [[field, value]];
    }),
  );
