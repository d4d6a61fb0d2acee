import { OrderCodes } from '../../../src/inventory/order-codes';
import { createDatabase, type TestDatabase } from '../../support/databases';
import { startSandbox, type TestSandbox } from '../../support/sandbox';
import { compareBooks } from './books-check';

/** The control: what does not notice that money is lost proves nothing when it finds all well. */
describe('the comparison of the books', () => {
  let database: TestDatabase;
  let sandbox: TestSandbox;
  const codes = new OrderCodes(undefined as never);
  codes.useKey(Buffer.alloc(16));

  beforeAll(async () => {
    database = await createDatabase();
    sandbox = await startSandbox(database.url, 'http://127.0.0.1:9/');
    await database.sql(`INSERT INTO events (id, title, start_time, end_time, currency) OVERRIDING SYSTEM VALUE
      VALUES (1, 'Sale', now() + interval '1 day', now() + interval '2 days', 'EUR')`);
  });
  afterAll(async () => {
    await sandbox.stop();
    await database.drop();
  });
  beforeEach(async () => {
    await database.sql(
      'TRUNCATE sandbox.payments, sandbox.refunds, sandbox.events, payments, refunds, orders CASCADE',
    );
  });

  const differences = async (told: string[] = []) =>
    (await compareBooks(database as never, new Set(told), codes)).differences;

  /** A payment of 1,000 at the sandbox, and what we have of it. */
  async function pay(id: number, orderId: number): Promise<string> {
    const charge = await sandbox.provider.create({
      paymentId: id,
      orderCode: 'A',
      amount: 1_000,
      currency: 'EUR',
    });
    await database.sql(
      `INSERT INTO payments (id, order_id, event_id, provider, status, amount, currency, provider_payment, taken, created_at)
       OVERRIDING SYSTEM VALUE VALUES ($1, $2, 1, 'sandbox', 'succeeded', 1000, 'EUR', $3, 1000, now())`,
      [id, orderId, charge.id],
    );
    return charge.id;
  }

  async function order(id: number, status: string, paid: number, refunded = 0): Promise<void> {
    await database.sql(
      `INSERT INTO orders (id, user_id, event_id, status, places, created_at, expires_at, paid_at, type_ids, numbers, quota_ids,
         quota_numbers, total, currency, amount_paid, amount_refunded)
       OVERRIDING SYSTEM VALUE VALUES ($1, 1, 1, $2::varchar, 1, now(), now() + interval '1 day',
         CASE WHEN $2::varchar IN ('paid', 'refunded') THEN now() END, '{1}', '{1}', '{1}', '{1}', 1000, 'EUR', $3, $4)`,
      [id, status, paid, refunded],
    );
  }

  async function refund(id: number, orderId: number, payment: string, cause: string): Promise<void> {
    await sandbox.provider.refund({ refundId: id, attempt: 1, payment, amount: 1_000, currency: 'EUR' });
    await database.sql(
      `INSERT INTO refunds (id, order_id, event_id, payment_id, status, amount, currency, cause, created_at)
       OVERRIDING SYSTEM VALUE VALUES ($1, $2, 1, 1, 'succeeded', 1000, 'EUR', $3, now())`,
      [id, orderId, cause],
    );
  }

  it('finds nothing where all is well', async () => {
    await order(1, 'paid', 1_000);
    await pay(1, 1);
    await order(2, 'expired', 1_000, 1_000);
    await refund(2, 2, await pay(2, 2), 'places_gone');
    await order(3, 'refunded', 1_000, 1_000);
    await refund(3, 3, await pay(3, 3), 'organizer');
    await order(4, 'expired', 0);
    expect(await differences([codes.codeOf(1), codes.codeOf(3)])).toEqual([]);
  });

  it('finds money that was taken and of which we know nothing', async () => {
    await sandbox.provider.create({ paymentId: 1, orderCode: 'A', amount: 1_000, currency: 'EUR' });
    expect(await differences()).toEqual([expect.stringMatching(/^a charge that is no payment of ours/)]);
  });

  it('finds an order that was paid with no money', async () => {
    await order(1, 'paid', 0);
    expect(await differences()).toEqual([
      expect.stringMatching(/^an order that is paid and was not charged/),
    ]);
  });

  it('finds money that is kept for nothing', async () => {
    await order(1, 'expired', 1_000);
    await pay(1, 1);
    expect(await differences()).toEqual([expect.stringMatching(/^money of an order that is neither/)]);
  });

  it('finds an order that is paid twice', async () => {
    await order(1, 'paid', 2_000);
    await pay(1, 1);
    await pay(2, 1);
    expect((await differences()).map((difference) => difference.split(':', 1)[0])).toContain(
      'an order that is paid twice',
    );
  });

  it('finds a refund that was given twice, and one that was not given', async () => {
    await order(1, 'refunded', 2_000, 2_000);
    await refund(1, 1, await pay(1, 1), 'organizer');
    const second = await pay(2, 1);
    await sandbox.provider.refund({
      refundId: 1,
      attempt: 2,
      payment: second,
      amount: 1_000,
      currency: 'EUR',
    });
    expect((await differences()).join()).toContain('a refund that was given twice');
    await database.sql(`DELETE FROM sandbox.refunds`);
    expect((await differences()).join()).toContain('a refund that the two books do not agree on');
  });

  it('finds an order that an answer called paid, and that is not', async () => {
    await order(1, 'expired', 0);
    expect(await differences([codes.codeOf(1)])).toEqual([
      expect.stringMatching(/^an order that was called paid/),
    ]);
  });
});
