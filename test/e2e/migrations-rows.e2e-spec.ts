import { readSettings } from '../../src/config/settings';
import { TixxetyDataSource } from '../../src/database/tixxety-data-source';
import { createBareDatabase, type TestDatabase } from '../support/databases';
import { undoTo } from '../support/migrations';

describe('migrations of tables with rows', () => {
  let database: TestDatabase;
  let dataSource: TixxetyDataSource;

  beforeAll(async () => {
    database = await createBareDatabase();
    dataSource = await new TixxetyDataSource(
      readSettings({ DATABASE_URL: database.url }),
      'tool',
    ).initialize();
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  /** Undoes migrations down to this one, and with it. */
  const undo = (name: string) => undoTo(dataSource, name);

  it('writes down what was paid before, and forgets no sum with it', async () => {
    await dataSource.runMigrations();
    await undo('AddTill');
    await database.sql(`
      INSERT INTO orders (user_id, event_id, status, places, created_at, expires_at, paid_at, total, amount_paid, type_ids, numbers,
        quota_ids, quota_numbers, currency)
      SELECT 1, 1, 'paid', 1, now(), now(), now(), total, total, '{1}', '{1}', '{1}', '{1}', 'EUR' FROM unnest(ARRAY[0, 1250]) AS total`);
    await database.sql(`
      INSERT INTO payments (order_id, event_id, provider, status, amount, currency, created_at)
      SELECT id, 1, CASE total WHEN 0 THEN 'none' ELSE 'offline' END, 'succeeded', total, 'EUR', now() FROM orders`);
    await database.sql(
      'INSERT INTO tickets (order_id, ticket_type_id, price) SELECT id, 1, total FROM orders',
    );
    const before = await database.sql('SELECT * FROM orders ORDER BY id');
    const tickets = await database.sql('SELECT * FROM ticket_states ORDER BY id');

    await dataSource.runMigrations();
    expect(await database.sql('SELECT taken, giving_back, status FROM payments ORDER BY id')).toEqual([
      { taken: 0, giving_back: 0, status: 'succeeded' },
      { taken: 1_250, giving_back: 0, status: 'succeeded' },
    ]);
    expect(await database.sql('SELECT kind, amount, currency FROM ledger')).toEqual([
      { kind: 'charge', amount: 1_250, currency: 'EUR' },
    ]);
    for (const change of ['UPDATE ledger SET amount = 1', 'DELETE FROM ledger'])
      await expect(database.sql(change)).rejects.toThrow('The ledger is append-only');
    await database.sql(`
      INSERT INTO refunds (order_id, event_id, payment_id, status, amount, currency, cause, created_at)
      SELECT order_id, 1, id, 'pending', 250, 'EUR', 'organizer', now() FROM payments WHERE amount > 0`);
    await database.sql(
      `INSERT INTO outbox (topic, payload) VALUES ('refund.send', '{}'), ('payment.cancel', '{}')`,
    );
    await database.sql(`
      INSERT INTO payments (order_id, event_id, provider, status, amount, currency, created_at)
      SELECT max(id), 1, 'sandbox', 'requires_action', 1250, 'EUR', now() FROM orders`);

    await undo('AddTill');
    expect(await database.sql('SELECT * FROM orders ORDER BY id')).toEqual(before);
    expect(await database.sql('SELECT * FROM ticket_states ORDER BY id')).toEqual(tickets);
    expect(await database.sql('SELECT FROM outbox')).toEqual([]);
    await dataSource.runMigrations();
    expect(await database.sql('SELECT status FROM payments ORDER BY id')).toEqual([
      { status: 'succeeded' },
      { status: 'succeeded' },
      { status: 'failed' },
    ]);
  });

  it('the one that follows money back forgets what came back, and knows what was noted by hand', async () => {
    await dataSource.runMigrations();
    await database.sql(`
      INSERT INTO refunds (id, order_id, event_id, payment_id, status, amount, currency, cause, provider_refund, failure_code, created_at,
        closed_at, ask_at)
      VALUES (91, 9, 1, 9, 'succeeded', 100, 'EUR', 'organizer', 're_2', NULL, now(), now(), now()),
        (92, 9, 1, 9, 'failed', 200, 'EUR', 'organizer', 're_3', 'account_closed', now(), now(), NULL),
        (93, 9, 1, 9, 'succeeded', 300, 'EUR', 'organizer', 're_4', 'account_closed', now(), now(), NULL)`);
    await database.sql(`
      INSERT INTO ledger (order_id, payment_id, refund_id, kind, source, amount, currency, created_at)
      SELECT 9, 9, refund_id, kind, source, amount, 'EUR', now()
      FROM (VALUES (91, 'refund', 're_1', -100), (91, 'refund_failed', 're_1', 100), (91, 'refund', 're_2', -100),
        (92, 'refund', 're_3', -200), (92, 'refund_failed', 're_3', 200), (93, 'refund', '', -300)
      ) AS entry (refund_id, kind, source, amount)`);
    await database.sql(`
      INSERT INTO payments (id, order_id, event_id, provider, status, amount, taken, currency, dispute, disputes, created_at)
      VALUES (9, 9, 1, 'sandbox', 'succeeded', 900, 900, 'EUR', 'lost', '{ "dp_1": { "status": "won", "amount": 900 } }', now())`);
    await database.sql(`
      INSERT INTO ledger (order_id, payment_id, kind, source, amount, currency, created_at)
      SELECT 8, 9, kind, source, amount, 'EUR', now()
      FROM (VALUES ('dispute', 'dp_1', -900), ('dispute_won', 'dp_1', 900), ('dispute', 'dp_2', -400)) AS entry (kind, source, amount)`);

    await undo('FollowMoneyBack');
    expect(await database.sql('SELECT kind, amount FROM ledger WHERE order_id = 8')).toEqual([
      { kind: 'dispute', amount: -400 },
    ]);
    expect(
      await database.sql('SELECT refund_id, amount FROM ledger WHERE order_id = 9 ORDER BY refund_id'),
    ).toEqual([
      { refund_id: 91, amount: -100 },
      { refund_id: 93, amount: -300 },
    ]);
    await expect(database.sql('DELETE FROM ledger')).rejects.toThrow('The ledger is append-only');
    await dataSource.runMigrations();
    expect(await database.sql('SELECT dispute, disputes, lost FROM payments WHERE id = 9')).toEqual([
      { dispute: 'lost', disputes: {}, lost: 900 },
    ]);
    expect(
      await database.sql(
        'SELECT id, provider_refund, ask_at IS NOT NULL AS is_asked FROM refunds WHERE order_id = 9 ORDER BY id',
      ),
    ).toEqual([
      { id: 91, provider_refund: 're_2', is_asked: true },
      { id: 92, provider_refund: 're_3', is_asked: false },
      { id: 93, provider_refund: null, is_asked: false },
    ]);
  });

  it('give check-ins of before their place in the order of their arrival, and let the build before go on', async () => {
    await dataSource.runMigrations();
    const scan = (nonce: string) =>
      database.sql(
        `SELECT result FROM check_in(ARRAY[1], ARRAY[NULL]::bigint[], ARRAY[1], ARRAY[$1], ARRAY[NULL]::bigint[],
          ARRAY[NULL]::bigint[], ARRAY['entry'], ARRAY[NULL]::timestamptz[], ARRAY[true])`,
        [nonce],
      );
    expect(await scan('now')).toEqual([{ result: 'not_valid' }]);
    await undo('OrderPassages');
    expect(await scan('before')).toEqual([{ result: 'not_valid' }]);
    await database.sql(
      `INSERT INTO check_ins (event_id, user_id, nonce, ticket_id, kind, result, passage, scanned_at, received_at)
      VALUES (1, 1, 'in', 1, 'entry', 'admitted', 0, '2026-01-01', '2026-01-02'),
        (1, 2, 'copy', 1, 'entry', 'conflict', NULL, '2026-01-01', '2026-01-03')`,
    );
    await dataSource.runMigrations();
    const passages = 'SELECT nonce FROM check_ins WHERE passed_at = received_at ORDER BY passed_at';
    expect(await database.sql(passages)).toEqual([{ nonce: 'in' }, { nonce: 'copy' }]);
    await database.sql('DELETE FROM check_ins');
  });
});
