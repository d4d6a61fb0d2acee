import { createHmac } from 'node:crypto';
import Stripe from 'stripe';
import type { PaymentProvider, ProviderPayment } from '../../src/payments/payment-provider';
import { SandboxProvider } from '../../src/payments/sandbox/sandbox.provider';
import { StripeProvider } from '../../src/payments/stripe/stripe.provider';
import { createBareDatabase, type TestDatabase } from './databases';
import { freePort } from './redis';
import { SANDBOX_SECRET, startSandbox, type TestSandbox } from './sandbox';
import { startStripe, STRIPE_KEY, type StripeServer } from './stripe-server';
import { EVENT, REFUND } from './stripe-shapes';

/** What a suite needs of a provider beside the port. */
export interface ProviderSubject {
  provider: PaymentProvider;
  /** The same account, as another installation sees it. */
  stranger: PaymentProvider;
  /** As if it were out of reach. */
  unreachable: PaymentProvider;
  methods: Record<'ok' | 'declined' | 'requiresAction' | 'disputed', string>;
  /** The buyer does what is asked of them. */
  act(payment: ProviderPayment): Promise<void> | void;
  dispute(payment: string, amount: number): Promise<void> | void;
  endDispute(payment: string, as: 'won' | 'lost'): Promise<void> | void;
  /** The buyer's bank sends back what the refunds of a payment gave. */
  returnRefunds(payment: string): Promise<void> | void;
  misbehave(how: { delayMs?: number; garbage?: boolean; fails?: boolean }): Promise<void>;
  /** An event as it arrives. */
  event(payment: string, ourId: number, at?: Date): { body: Buffer; headers: Record<string, string> };
  eventOfRefund(payment: string, ourId: number, status: string): ReturnType<ProviderSubject['event']>;
  stop(): Promise<void>;
}

const WEBHOOK_SECRETS = ['whsec_the-one-that-goes-away', 'whsec_the-one-that-comes-in'];

export async function sandboxSubject(): Promise<ProviderSubject> {
  const database: TestDatabase = await createBareDatabase();
  const sandbox: TestSandbox = await startSandbox(database.url, 'http://127.0.0.1:9/');
  const nowhere = `http://127.0.0.1:${await freePort()}/sandbox`;
  const disputeOf = async (payment: string) =>
    ((await sandbox.client.get('/disputes')).body.data as { id: string; payment: string }[]).find(
      (dispute) => dispute.payment === payment,
    )?.id;
  const signed = (
    type: string,
    { metadata, ...data }: { metadata: object; payment: string },
    at = new Date(),
  ) => {
    const named = { ...data, metadata: { installation: 'ours', ...metadata } };
    const body = JSON.stringify({ id: 'evt_1', type, data: named });
    const time = Math.floor(at.getTime() / 1_000);
    const signature = createHmac('sha256', SANDBOX_SECRET).update(`${time}.${body}`).digest('hex');
    return { body: Buffer.from(body), headers: { 'sandbox-signature': `t=${time},v1=${signature}` } };
  };
  return {
    provider: sandbox.provider,
    stranger: new SandboxProvider(() => sandbox.url, SANDBOX_SECRET, 'theirs'),
    unreachable: new SandboxProvider(() => nowhere, SANDBOX_SECRET, 'ours'),
    methods: { ok: 'ok', declined: 'declined', requiresAction: 'requires_action', disputed: 'dispute' },
    act: async ({ redirectUrl = '' }) => {
      await fetch(redirectUrl, { method: 'POST', redirect: 'manual' });
    },
    dispute: async (payment, amount) => {
      await sandbox.client.post(`/payments/${payment}/dispute`, { amount });
    },
    endDispute: async (payment, as) => {
      await sandbox.client.post(`/disputes/${await disputeOf(payment)}/${as === 'won' ? 'win' : 'lose'}`);
    },
    returnRefunds: async (payment) => {
      await database.sql('UPDATE sandbox.refunds SET returns_at = now() WHERE payment = $1', [payment]);
    },
    misbehave: ({ delayMs = 0, garbage = false, fails = false }) =>
      sandbox.set({ delay_ms: delayMs, answers_garbage: garbage, fail_one_in: fails ? 1 : 0 }),
    event: (payment, ourId, at) =>
      signed('payment.succeeded', { payment, metadata: { payment_id: String(ourId) } }, at),
    eventOfRefund: (payment, ourId, status) =>
      signed(`refund.${status}`, { payment, metadata: { refund_id: String(ourId) } }),
    stop: async () => {
      await sandbox.stop();
      await database.drop();
    },
  };
}

export async function stripeSubject(): Promise<ProviderSubject> {
  const server: StripeServer = await startStripe();
  const of = (installation: string, apiBase = server.url) =>
    StripeProvider.create({ secretKey: STRIPE_KEY, webhookSecrets: WEBHOOK_SECRETS, apiBase, installation });
  const signed = (type: string, object: object, at = new Date()) => {
    const payload = JSON.stringify({ ...EVENT, id: 'evt_1', type, data: { object } });
    const signature = new Stripe(STRIPE_KEY).webhooks.generateTestHeaderString({
      payload,
      secret: WEBHOOK_SECRETS[1] as string,
      timestamp: Math.floor(at.getTime() / 1_000),
    });
    return { body: Buffer.from(payload), headers: { 'stripe-signature': signature } };
  };
  return {
    provider: await of('ours'),
    stranger: await of('theirs'),
    unreachable: await of('ours', `http://127.0.0.1:${await freePort()}`),
    methods: {
      ok: 'pm_card_visa',
      declined: 'pm_card_chargeDeclined',
      requiresAction: 'pm_card_threeDSecure2Required',
      disputed: 'pm_card_createDispute',
    },
    act: ({ id }) => {
      server.confirm(id);
    },
    dispute: (payment, amount) => {
      server.dispute(payment, 'needs_response', amount);
    },
    endDispute: (payment, as) => {
      server.dispute(payment, as);
    },
    returnRefunds: (payment) => {
      server.returnRefunds(payment);
    },
    misbehave: ({ delayMs = 0, garbage = false, fails = false }) => {
      server.faults = { delayMs };
      if (garbage) server.faults.answer = { status: 200, body: '<html>Service temporarily' };
      if (fails) server.faults.answer = { status: 500, body: '{"error":{"type":"api_error"}}' };
      return Promise.resolve();
    },
    event: (payment, ourId, at) => {
      const metadata = { installation: 'ours', payment_id: String(ourId) };
      return signed('payment_intent.succeeded', { object: 'payment_intent', id: payment, metadata }, at);
    },
    eventOfRefund: (payment, ourId, status) => {
      const metadata = { installation: 'ours', refund_id: String(ourId) };
      return signed(`refund.${status}`, { ...REFUND, payment_intent: payment, status, metadata });
    },
    stop: () => server.stop(),
  };
}
