import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { Reconciliation } from '../../src/payments/reconciliation';
import { ownSandboxSecret } from '../../src/payments/sandbox/sandbox-secret';
import { SandboxProvider } from '../../src/payments/sandbox/sandbox.provider';
import { startTestApi, type TestApi } from '../support/api';
import { doctorOf } from '../support/doctor';
import { eventually } from '../support/eventually';
import { INVENTORY_MISMATCHES } from '../support/seats';
import { MONEY_MISMATCHES, openTill, type Till } from '../support/till';

describe('reconciliation', () => {
  let api: TestApi;
  let till: Till;

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0' });
    till = await openTill(api);
  });
  afterEach(async () => {
    expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]);
    expect(await api.sql(MONEY_MISMATCHES)).toEqual([]);
  });
  afterAll(() => api.stop());

  /** As a minute later. */
  async function walk(): Promise<unknown[]> {
    await api.sql(`UPDATE reconciliations SET walked_at = now() - interval '1 hour'`);
    const reconciliation = api.app.get(Reconciliation, { strict: false });
    await reconciliation.walk(() => false);
    return (await reconciliation.findDifferences())[0]?.differences ?? [];
  }
  /** An order whose buyer has paid, of which no event came, and which the watch of open payments leaves alone. */
  async function untold() {
    const order = await till.place();
    const { body } = await till.pay(order, 'requires_action');
    await eventually(async () =>
      expect(await api.sql('SELECT FROM provider_events WHERE payment_id = $1', [body.id])).toHaveLength(1),
    );
    await api.sql('UPDATE payments SET ask_at = NULL');
    await api.sql(`UPDATE sandbox.payments SET status = 'succeeded' WHERE metadata ->> 'order_code' = $1`, [
      order.code,
    ]);
    return order;
  }

  it('takes money over of which every event was lost', async () => {
    const order = await untold();
    expect(await till.show(order)).toMatchObject({ status: 'held' });
    expect(await walk()).toEqual([]);
    expect(await till.show(order)).toMatchObject({ status: 'paid', amount_paid: 2_500 });
  });

  it('takes money over of a payment that was told it could not begin', async () => {
    const order = await till.place();
    await api.client.post('/sandbox/switches', { answers_garbage: true });
    const refused = await till.pay(order);
    expect(refused).toMatchObject({ status: 503, body: { code: 'payment_provider_unavailable' } });
    expect(await till.payments(order)).toMatchObject([
      { status: 'failed', failure_code: 'provider_unavailable' },
    ]);
    await api.client.post('/sandbox/switches', { answers_garbage: false });
    await walk();
    expect(await till.until(order, 'paid')).toMatchObject({ amount_paid: 2_500, amount_refunded: 0 });
  });

  it('leaves to the watch a payment that failed here and takes days there', async () => {
    const order = await till.place();
    const ofOrder = `metadata ->> 'order_code' = '${order.code}'`;
    const ours = `provider_payment = (SELECT id FROM sandbox.payments WHERE ${ofOrder})`;
    await api.client.post('/sandbox/switches', { answers_garbage: true });
    await till.pay(order, 'slow');
    await api.sql(`UPDATE sandbox.payments SET succeeds_at = now() + interval '3 days' WHERE ${ofOrder}`);
    await api.client.post('/sandbox/switches', { answers_garbage: false });
    await walk();
    /** A look of the watch, days later: the walks begin behind the payment by then. */
    const look = async () => {
      await api.sql(
        `UPDATE payments SET ask_at = now(), closed_at = now() - interval '2 days' WHERE ask_at IS NOT NULL AND ${ours}`,
      );
      await eventually(async () =>
        expect(await api.sql(`SELECT FROM payments WHERE ask_at > now() AND ${ours}`)).toHaveLength(1),
      );
    };
    await look();
    await api.sql(`UPDATE sandbox.payments SET status = 'succeeded', succeeds_at = NULL WHERE ${ofOrder}`);
    await api.sql(`UPDATE payments SET ask_at = now() WHERE ask_at IS NOT NULL AND ${ours}`);
    expect(await till.until(order, 'paid')).toMatchObject({ amount_paid: 2_500 });
  });

  it('takes over a dispute, and its end, of which every event was lost', async () => {
    const order = await till.place();
    const { body } = await till.pay(order);
    const atBank = async (dispute: string) =>
      await api.sql(
        `UPDATE sandbox.payments SET dispute = $2, dispute_id = 'dp_untold', dispute_amount = 1000
        WHERE metadata ->> 'order_code' = $1`,
        [order.code, dispute],
      );
    const state = async () =>
      (await api.sql<{ dispute: string | null }>('SELECT dispute FROM payments WHERE id = $1', [body.id]))[0]
        ?.dispute;
    await atBank('open');
    expect(await state()).toBeNull();
    expect(await walk()).toEqual([]);
    expect(await state()).toBe('open');
    expect((await till.show(order)).tickets).toMatchObject([{ status: 'blocked' }, { status: 'blocked' }]);
    await atBank('won');
    await api.sql('UPDATE payments SET ask_at = now() WHERE id = $1 AND ask_at > now()', [body.id]);
    await eventually(async () => expect(await state()).toBe('won'));
  });

  it('cancels there what failed here', async () => {
    const order = await till.place();
    await api.client.post('/sandbox/switches', { answers_garbage: true });
    await till.pay(order, 'requires_action');
    await api.client.post('/sandbox/switches', { answers_garbage: false });
    await walk();
    await eventually(async () =>
      expect(
        await api.sql(`SELECT status FROM sandbox.payments WHERE metadata ->> 'order_code' = $1`, [
          order.code,
        ]),
      ).toEqual([{ status: 'cancelled' }]),
    );
  });

  it('goes on where it was killed, and leaves it to one process', async () => {
    await walk();
    await api.sql('UPDATE reconciliations SET begun_at = now(), walked_at = now()');
    const order = await untold();
    await api.app.get(Reconciliation, { strict: false }).walk(() => false);
    expect(await till.show(order)).toMatchObject({ status: 'held' });
    await walk();
    expect(await till.show(order)).toMatchObject({ status: 'paid' });
  });

  it('names what it can not close, until somebody has', async () => {
    const order = await till.place();
    await till.pay(order);
    const [row] = await api.sql<{ id: string }>('SELECT max(id) AS id FROM payments');
    const lost = String(Number(row?.id) + 1_000);
    await api.sql(
      `UPDATE sandbox.payments SET metadata = metadata || jsonb_build_object('payment_id', $2::text) WHERE metadata ->> 'order_code' = $1`,
      [order.code, lost],
    );
    expect(await walk()).toEqual([{ kind: 'unknown_here', id: Number(lost), payment: expect.any(String) }]);
    await api.sql(
      `UPDATE sandbox.payments SET metadata = metadata || jsonb_build_object('payment_id', $2::text) WHERE metadata ->> 'order_code' = $1`,
      [order.code, String(row?.id)],
    );
    expect(await walk()).toEqual([]);

    const failing = await till.place();
    await till.pay(failing, 'refund_fails');
    await till.organizer.client.post(`/orders/${failing.code}/refunds`, {});
    await eventually(async () => expect(await till.refunds(failing)).toMatchObject([{ status: 'failed' }]));
    expect(await walk()).toMatchObject([{ kind: 'refund_failed' }]);
    const [{ id } = { id: 0 }] = await till.refunds(failing);
    await till.organizer.client.post(`/refunds/${id}/retry`);
    await till.untilRefunded(failing);
    expect(await walk()).toEqual([]);
  });

  describe('of a refund that was made in the dashboard', () => {
    /** An order, of whose payment somebody gave 5 € back. */
    async function refundedThere() {
      const order = await till.place();
      const { body } = await till.pay(order);
      const [row] = await api.sql<{ there: string }>(
        'SELECT provider_payment AS there FROM payments WHERE id = $1',
        [body.id],
      );
      const secret = await ownSandboxSecret(api.app.get(DataSource));
      const dashboard = new SandboxProvider(() => `${api.client.url}/sandbox`, secret, 'nobody');
      const payment = row?.there ?? '';
      await dashboard.refund({
        refundId: 1,
        attempt: body.id as number,
        payment,
        amount: 500,
        currency: 'EUR',
      });
      return { order, difference: { kind: 'refund_unknown', id: body.id as number, payment } };
    }
    const noteOf = (id: number) =>
      /```sql\n(-- Only for what the provider gave back without us\.\n[^`]+)```/
        .exec(readFileSync(join(__dirname, '../../docs/OPERATIONS.md'), 'utf8'))?.[1]
        ?.replace('17', String(id)) ?? '';

    it('names it by its event, until it is noted', async () => {
      const { order, difference } = await refundedThere();
      await eventually(async () =>
        expect(await api.sql('SELECT refunded FROM payments WHERE id = $1', [difference.id])).toEqual([
          { refunded: 500 },
        ]),
      );
      // The walk does not come to it any more.
      await api.sql(`UPDATE reconciliations SET walked_until = now() + interval '1 hour'`);
      expect(await walk()).toEqual([difference]);
      await api.sql(noteOf(difference.id));
      expect(await walk()).toEqual([]);
      expect(await till.show(order)).toMatchObject({ status: 'paid', amount_refunded: 500 });
      expect(await till.refunds(order)).toMatchObject([{ status: 'succeeded', amount: 500 }]);
      // What is left can be given back.
      await till.organizer.client.post(`/orders/${order.code}/refunds`, { amount: 2_000 });
      await till.untilRefunded(order);
      expect(await walk()).toEqual([]);
    });

    it('names it where its event was lost, and so does the doctor', async () => {
      await api.sql(`UPDATE reconciliations SET walked_until = now()`);
      const { difference } = await refundedThere();
      await eventually(async () => expect(await api.sql('SELECT FROM sandbox.events')).toEqual([]));
      await api.sql(
        `UPDATE payments SET refunded = 0, created_at = now() - interval '2 minutes', closed_at = now() - interval '2 minutes'
        WHERE id = $1`,
        [difference.id],
      );
      const { findings } = doctorOf(() => ({ url: api.settings.DATABASE_URL ?? '' }) as never);
      const { provider } = await findings({ PUBLIC_URL: api.client.url }, false, true);
      expect(provider).toMatchObject({
        details: [{ message: expect.stringMatching(/gave back more than it says here$/) }],
      });
      expect(await walk()).toEqual([difference]);
      await api.sql(noteOf(difference.id));
      expect(await walk()).toEqual([]);
    });
  });

  it('asks about refunds that the provider has not finished', async () => {
    const order = await till.place();
    await till.pay(order);
    await till.organizer.client.post(`/orders/${order.code}/refunds`, {});
    await till.untilRefunded(order);
    const [refund] = await till.refunds(order);
    // As if the provider had been at work on it, and its event were lost.
    await api.sql('ALTER TABLE ledger DISABLE TRIGGER ledger_is_append_only');
    await api.sql('DELETE FROM ledger WHERE refund_id = $1', [refund?.id]);
    await api.sql('ALTER TABLE ledger ENABLE TRIGGER ledger_is_append_only');
    await api.sql(
      `UPDATE refunds SET status = 'pending', created_at = now() - interval '5 minutes', closed_at = NULL WHERE id = $1`,
      [refund?.id],
    );
    await api.sql(
      `UPDATE orders SET amount_refunded = 0 WHERE status = 'refunded' AND amount_refunded > 0
      AND id = (SELECT order_id FROM refunds WHERE id = $1)`,
      [refund?.id],
    );
    await walk();
    expect(await till.refunds(order)).toMatchObject([{ status: 'succeeded' }]);
    expect(await till.show(order)).toMatchObject({ amount_refunded: 2_500 });
  });

  describe('the doctor', () => {
    const { findings } = doctorOf(() => ({ url: api.settings.DATABASE_URL ?? '' }) as never);

    it('finds orders, payments, refunds and the ledger in agreement', async () => {
      expect((await findings()).money).toMatchObject({ status: 'ok' });
    });

    it('asks the provider where it is told to, and changes nothing', async () => {
      const ask = async () => (await findings({ PUBLIC_URL: api.client.url }, false, true)).provider;
      expect(await ask()).toMatchObject({
        status: 'ok',
        message: expect.stringMatching(/^\d+ payments at sandbox agree/),
      });
      const order = await untold();
      await api.sql(`UPDATE payments SET created_at = now() - interval '2 minutes'`);
      expect(await ask()).toMatchObject({
        status: 'wrong',
        message: '1 payment at sandbox does not agree with ours',
        details: [{ message: expect.stringMatching(/^pay_\w+ \(payment \d+\) is in another state there$/) }],
      });
      expect(await till.show(order)).toMatchObject({ status: 'held' });
      await walk();
      expect(await till.show(order)).toMatchObject({ status: 'paid' });
    });

    it.each([
      [
        'UPDATE orders SET amount_paid = amount_paid + 1 WHERE id = $1',
        'UPDATE orders SET amount_paid = amount_paid - 1 WHERE id = $1',
        'paid says something else than the ledger',
      ],
      [
        'UPDATE payments SET giving_back = 1 WHERE order_id = $1',
        'UPDATE payments SET giving_back = 0 WHERE order_id = $1',
        'payments say something else than the refunds',
      ],
      [
        'UPDATE orders SET is_paying = true WHERE id = $1',
        'UPDATE orders SET is_paying = false WHERE id = $1',
        'is marked as being paid and is not',
      ],
      [
        `UPDATE orders SET total = total + 1 WHERE id = $1`,
        `UPDATE orders SET total = total - 1 WHERE id = $1`,
        'keeps another sum than it costs',
      ],
    ])('finds what %s leaves behind', async (change, undo, what) => {
      const order = await till.place();
      await till.pay(order);
      const [row] = await api.sql<{ id: number }>('SELECT order_id AS id FROM tickets WHERE id = $1', [
        order.tickets[0]?.id,
      ]);
      await api.sql(change, [row?.id]);
      const { money } = await findings();
      await api.sql(undo, [row?.id]);
      expect(money).toMatchObject({
        status: 'wrong',
        details: expect.arrayContaining([
          expect.objectContaining({ message: expect.stringContaining(what) }),
        ]),
      });
    });
  });
});
