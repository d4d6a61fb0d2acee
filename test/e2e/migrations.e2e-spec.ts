import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBareDatabase, type TestDatabase } from '../support/databases';
import { undoTo } from '../support/migrations';
import { readSettings } from '../../src/config/settings';
import { TixxetyDataSource } from '../../src/database/tixxety-data-source';
import { runScript } from '../support/processes';
import { INVENTORY_MISMATCHES } from '../support/seats';

const MIGRATIONS = readdirSync(join(__dirname, '../../migrations')).length;

describe('npm run migration:*', () => {
  let database: TestDatabase;
  let dataSource: TixxetyDataSource;
  let folder: string;
  beforeAll(async () => {
    database = await createBareDatabase();
    dataSource = await new TixxetyDataSource(
      readSettings({ DATABASE_URL: database.url }),
      'tool',
    ).initialize();
    folder = mkdtempSync(join(tmpdir(), 'tixxety-test-'));
    await mkdir(join(folder, 'migrations'));
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
    rmSync(folder, { recursive: true });
  });

  const migration = (args: string, url = database.url) =>
    runScript('migration', args.split(' '), { DATABASE_URL: url }, { cwd: folder });

  /** Everything that migrations made, in words. */
  async function schema(): Promise<string[]> {
    const rows = await database.sql<{ description: string }>(`
      SELECT relkind::text || ' ' || oid::regclass AS description FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind <> 'i' AND relname NOT LIKE 'migrations%'
      UNION ALL
      SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default)
      FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'migrations'
      UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint
      WHERE connamespace = 'public'::regnamespace AND conrelid <> 'migrations'::regclass
      UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index
      WHERE indrelid::regclass::text IN (SELECT tablename FROM pg_tables WHERE schemaname = 'public')
        AND indrelid <> 'migrations'::regclass
      UNION ALL SELECT tgname || ' ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
      UNION ALL SELECT pg_get_functiondef(pg_proc.oid) FROM pg_proc
      LEFT JOIN pg_depend ON pg_depend.objid = pg_proc.oid AND deptype = 'e'
      WHERE pronamespace = 'public'::regnamespace AND deptype IS NULL
      UNION ALL SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'
      ORDER BY 1`);
    return rows.map(({ description }) => description);
  }

  it('tell in one sentence when there is no database, or not one with the schema', async () => {
    expect(await migration('run', 'postgres://nobody@127.0.0.1:1/nothing')).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^DATABASE_URL[^\n]+\.\n$/),
    });
    expect(await migration('check')).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^DATABASE_URL[^\n]+ migrations are pending[^\n]+\.\n$/),
    });
  });

  it('lead up, down to nothing, and up again', async () => {
    const pending = (await migration('show')).output;
    expect(pending.match(/^pending {2}\w+$/gm)).toHaveLength(MIGRATIONS);

    const { output } = await migration('run');
    expect(output.match(/^Applied \w+\.$/gm)).toHaveLength(MIGRATIONS);
    const first = await schema();
    expect(first).toEqual(
      expect.arrayContaining(['r users', 'r events', 'r tickets', 'r quotas', 'r orders', 'cube']),
    );

    const [, last] = /^Undid (\w+)\.\n$/.exec((await migration('revert')).output) ?? [];
    const applied = pending.replaceAll('pending', 'applied');
    expect((await migration('show')).output).toBe(applied.replace(`applied  ${last}`, `pending  ${last}`));
    expect(last).toBe(applied.trim().split(/\s/).at(-1));

    for (let i = 1; i < MIGRATIONS; i++) await dataSource.undoLastMigration();
    expect(await migration('revert')).toMatchObject({ code: 0, output: 'Nothing is applied.\n' });
    expect(await schema()).toEqual([]);

    await dataSource.runMigrations();
    expect(await schema()).toEqual(first);
    expect(await migration('run')).toMatchObject({ code: 0, output: 'Nothing is pending.\n' });
  });

  it('of a newer build are named, and undone by that build alone', async () => {
    const newer = `VALUES (99999999999999, 'FromLater99999999999999')`;
    await database.sql(`INSERT INTO migrations (timestamp, name) ${newer}`);
    expect(await migration('revert')).toMatchObject({
      code: 1,
      output: expect.stringMatching(
        /^The last migration is FromLater\d+, which [^\n]+ newer build [^\n]+\.\n$/,
      ),
    });
    expect((await migration('show')).output).toMatch(/\napplied {2}FromLater\d+, by a newer build\n$/);
    await database.sql(`DELETE FROM migrations WHERE name LIKE 'FromLater%'`);
  });

  /** Undoes migrations down to this one, and with it. */
  const undo = (name: string) => undoTo(dataSource, name);

  it('give every e-mail its normal form, and name the accounts that share one', async () => {
    await undo('AddEmailKey');
    const emails = ['Ada@Example.com', 'zoé@example.com', 'zoe\u0301@example.com', 'x@bücher.example'];
    const users = await database.sql<{ id: string }>(
      `INSERT INTO users (name, email) SELECT 'Somebody', unnest($1::text[]) RETURNING id`,
      [emails],
    );
    const [, zoe, second] = users.map(({ id }) => id);
    expect(await migration('run')).toMatchObject({
      code: 1,
      output: expect.stringMatching(RegExp(`^(Applied \\w+\\.\n)*Users ${zoe} and ${second} [^\n]+\\.\n$`)),
    });
    await database.sql(`UPDATE users SET email = 'Zoe.2@example.com' WHERE id = $1`, [second]);
    expect(await migration('run')).toMatchObject({ code: 0 });
    expect(await database.sql('SELECT email_key FROM users ORDER BY id')).toEqual([
      { email_key: 'ada@example.com' },
      { email_key: 'zoé@example.com' },
      { email_key: 'zoe.2@example.com' },
      { email_key: 'x@xn--bcher-kva.example' },
    ]);
    await database.sql('DELETE FROM users');
  });

  it('carry events and tickets over: sold and taken as they were, and no draft for sale in the build before', async () => {
    await undo('AddEventStatus');
    const [{ id: user } = { id: '' }] = await database.sql<{ id: string }>(
      `INSERT INTO users (name, email) VALUES ('Ada', 'ada@example.com') RETURNING id`,
    );
    const [sold, ended, untouched] = (
      await database.sql<{ id: string }>(
        `INSERT INTO events (title, start_time, end_time)
        SELECT 'Concert', '2099-01-01', '2099-01-01' FROM generate_series(1, 3) RETURNING id`,
      )
    ).map(({ id }) => id);
    await database.sql(
      `INSERT INTO inventory (event_id, capacity, sold) VALUES ($1, 5, 1), ($2, 5, 0), ($3, 5, 0)`,
      [sold, ended, untouched],
    );
    await database.sql(
      `INSERT INTO tickets (user_id, event_id, status, created_at, expires_at, paid_at) VALUES
        ($1, $2, 'paid', now(), now() + interval '1 hour', now()), ($1, $3, 'expired', now(), now(), NULL)`,
      [user, sold, ended],
    );
    const seats = (table = 'inventory') =>
      database.sql(`SELECT event_id, capacity, held, sold FROM ${table} ORDER BY event_id`);
    const before = await seats();

    await dataSource.runMigrations();
    expect(await seats('quotas')).toEqual(before);
    expect(
      await database.sql(
        `SELECT DISTINCT status, currency, timezone, max_tickets_per_user, metadata, version FROM events`,
      ),
    ).toEqual([
      {
        status: 'published',
        currency: null,
        timezone: 'UTC',
        max_tickets_per_user: null,
        metadata: {},
        version: 1,
      },
    ]);
    await database.sql('UPDATE quotas SET held = 1 WHERE event_id = $1', [untouched]);

    await database.sql(`UPDATE events SET status = 'draft' WHERE id = $1`, [untouched]);
    await database.sql(`UPDATE events SET status = 'cancelled' WHERE id = $1`, [sold]);
    await undo('AddEventStatus');
    expect(await seats()).toEqual([
      { event_id: sold, capacity: 1, held: 0, sold: 1 },
      { event_id: ended, capacity: 5, held: 0, sold: 0 },
      { event_id: untouched, capacity: 1, held: 1, sold: 0 },
    ]);
    await database.sql(`SELECT take_seats(ARRAY[$1::bigint], ARRAY[1])`, [ended]);
    await dataSource.runMigrations();
    await database.sql(
      'DELETE FROM tickets; DELETE FROM orders; DELETE FROM quotas; DELETE FROM events; DELETE FROM users',
    );
  });

  it('make an order of one of each ticket of before, and a ticket of it again', async () => {
    await dataSource.runMigrations();
    await undo('AddQuotas');
    await database.sql(`INSERT INTO users (name, email) VALUES ('Ada', 'ada@example.com')`);
    await database.sql(
      `INSERT INTO events (title, start_time, end_time) SELECT 'Concert', '2099-01-01', '2099-01-02' FROM generate_series(1, 2)`,
    );
    // The second event has lost its counter.
    await database.sql(
      'INSERT INTO inventory (event_id, capacity, held, sold) SELECT min(id), 10, 1, 1 FROM events',
    );
    await database.sql(`
      INSERT INTO tickets (user_id, event_id, status, created_at, expires_at, paid_at)
      SELECT users.id, events.id, state, '2090-01-01', '2090-01-02', CASE state WHEN 'paid' THEN timestamptz '2090-01-01 12:00' END
      FROM users, events, unnest(ARRAY['reserved', 'paid', 'expired', 'cancelled']) AS state`);
    await database.sql(`
      INSERT INTO idempotency_keys (id, fingerprint, outcome, expires_at)
      SELECT '\\x01', '', jsonb_build_object('id', id, 'userId', user_id, 'eventId', event_id, 'status', status), '2099-01-01'
      FROM tickets WHERE status = 'reserved' ORDER BY id LIMIT 1`);
    const columns = 'id, user_id, event_id, status, created_at, expires_at, paid_at';
    const before = await database.sql(`SELECT ${columns} FROM tickets ORDER BY id`);

    await dataSource.runMigrations();
    expect(await database.sql(`SELECT ${columns} FROM ticket_states ORDER BY id`)).toEqual(before);
    expect(await database.sql('SELECT capacity, held, sold FROM quotas ORDER BY id')).toEqual([
      { capacity: 10, held: 1, sold: 1 },
      { capacity: 2, held: 1, sold: 1 },
    ]);
    expect(await database.sql(INVENTORY_MISMATCHES)).toEqual([]);
    const [kept] = await database.sql<{ outcome: Record<string, unknown> }>(
      'SELECT outcome FROM idempotency_keys',
    );
    const [ticket] = await database.sql<{ id: string; ticket_type_id: string }>(
      'SELECT * FROM ticket_states ORDER BY id',
    );
    expect(kept?.outcome).toMatchObject({
      ticketIds: [Number(ticket?.id)],
      typeIds: [Number(ticket?.ticket_type_id)],
      status: 'held',
      total: 0,
    });
    await database.sql('INSERT INTO tickets (order_id, ticket_type_id) SELECT max(id), 1 FROM orders');
    await database.sql('DELETE FROM tickets WHERE id = (SELECT max(id) FROM tickets)');

    await undo('AddQuotas');
    expect(await database.sql(`SELECT ${columns} FROM tickets ORDER BY id`)).toEqual(before);
    expect(await database.sql('SELECT capacity, held, sold FROM inventory ORDER BY event_id')).toEqual([
      { capacity: 10, held: 1, sold: 1 },
      { capacity: 2, held: 1, sold: 1 },
    ]);
    for (const table of ['idempotency_keys', 'tickets', 'inventory', 'events', 'users'])
      await database.sql(`DELETE FROM ${table}`);
    await dataSource.runMigrations();
  });

  it('find out when entities and migrations differ, and write the difference down', async () => {
    await dataSource.runMigrations();
    expect(await migration('check')).toMatchObject({ code: 0, output: 'Entities and migrations agree.\n' });
    expect(await migration('generate nothing')).toMatchObject({
      code: 1,
      output: 'Entities and migrations agree: there is nothing to write.\n',
    });

    await database.sql('ALTER TABLE users DROP COLUMN location_address');
    await database.sql('DROP INDEX orders_due_idx');
    expect(await migration('check')).toMatchObject({
      code: 1,
      output: expect.stringMatching(
        /^Entities and migrations differ[^]*ADD "location_address"[^]*orders_due_idx/,
      ),
    });

    expect(await migration('generate bring-back')).toMatchObject({ code: 0 });
    const [file = '', ...others] = readdirSync(join(folder, 'migrations'));
    expect(file).toMatch(/^\d{13}-bring-back\.ts$/);
    expect(others).toEqual([]);
    const source = readFileSync(join(folder, 'migrations', file), 'utf8');
    expect(source).toContain(`export class BringBack${file.slice(0, 13)} implements MigrationInterface`);
    const [, up, down] = /async up\(([^]*)async down\(([^]*)$/.exec(source) ?? [];
    expect(up).toMatch(/ADD "location_address"[^]*CREATE INDEX "orders_due_idx"/);
    expect(down).toMatch(/DROP INDEX [^;]*"orders_due_idx"[^]*DROP COLUMN "location_address"/);
  });

  it.each([
    ['generate', 'migration:generate takes a name: npm run migration:generate -- add-refunds'],
    ['generate ../elsewhere', '"../elsewhere" is no name for a migration: use letters, digits and hyphens.'],
    ['undo', 'There is no command "undo". See --help.'],
  ])('tell in one sentence what is wrong with %s', async (args, sentence) => {
    expect(await migration(args)).toMatchObject({ code: 1, output: `${sentence}\n` });
  });
});
