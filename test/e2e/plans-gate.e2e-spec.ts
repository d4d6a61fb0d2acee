import { Client } from 'pg';
import { CHECK_IN_FUNCTION } from '../../src/check-in/check-in.function';
import { LIST_CHECK_INS, LIST_CONFLICTS } from '../../src/check-in/check-in-log.statements';
import { CHECK_IN } from '../../src/check-in/check-ins.statements';
import { FIND_DEVICE, LIST_DEVICES, NOTE_DEVICE, REVOKE_DEVICE } from '../../src/check-in/devices.statements';
import {
  FIND_GATE,
  LIST_ATTENDEES,
  LIST_GATE_ATTENDEES,
  LIST_GATE_CHANGES,
} from '../../src/check-in/gate.statements';
import { COUNT_SILENT } from '../../src/check-in/silent-devices';
import type { Statement } from '../../src/database/statements';
import { EXPORTED_ORDERS } from '../../src/orders/orders.statements';
import { SHOWN_ORDER, SHOWN_TICKET } from '../../src/documents/documents.statements';
import type { TestDatabase } from '../support/databases';
import { createLargeDatabase, sellMuchOf } from '../support/large-database';
import { expectIndexes, explainBy, readsOf, withoutIndex } from '../support/plan';
import { NOW } from '../support/planned-statements';

/** An event with many tickets, and one with hardly any. */
const [MANY, FEW] = [7, 13];
const LAST = Number.MAX_SAFE_INTEGER;

/** Devices of a tenth of the events, and a scan of each paid ticket: one in a hundred contradicts another. */
const OPEN_GATES = [
  `INSERT INTO devices (event_id, name, token_hash, seen_at)
  SELECT 1 + n % 10000, 'Device ' || n, sha256(n::text::bytea), now() - n * interval '1 minute' FROM generate_series(1, 50000) AS n`,
  `INSERT INTO check_ins (event_id, device_id, nonce, ticket_id, kind, result, passage, scanned_at, received_at, passed_at, earlier_id)
  SELECT event_id, (SELECT min(devices.id) FROM devices WHERE devices.event_id = orders.event_id), tickets.id::text, tickets.id, 'entry',
    CASE WHEN tickets.id % 100 = 0 THEN 'conflict' ELSE 'admitted' END, CASE WHEN tickets.id % 100 > 0 THEN 0 END, now(), now(), now(), CASE WHEN tickets.id % 2 = 0 THEN 1 END
  FROM tickets JOIN orders ON orders.id = order_id WHERE orders.status = 'paid'`,
  `INSERT INTO check_ins (event_id, user_id, nonce, kind, result, scanned_at, received_at)
  SELECT 1 + n % 10000, 1 + n % 20000, n::text, 'entry', 'not_valid', now(), now() FROM generate_series(1, 20000) AS n`,
  `INSERT INTO gate_changes (event_id, ticket_id, changed_in)
  SELECT event_id, tickets.id, tickets.id FROM tickets JOIN orders ON orders.id = order_id WHERE tickets.id % 20 = 0`,
  `INSERT INTO ticket_changes (ticket_id, changed_at, generation) SELECT ticket_id, now(), 0 FROM gate_changes`,
  'VACUUM ANALYZE devices, check_ins, gate_changes, ticket_changes',
];

const LOG = ['check_ins_pkey', 'devices_pkey', 'ticket_types_pkey', 'tickets_pkey'];
const OF_EVENT = ['orders_event_id_id_idx', 'ticket_types_pkey', 'tickets_order_id_idx', 'users_pkey'];
const ATTENDEES = [...OF_EVENT, 'check_ins_passage_idx', 'check_ins_passed_at_idx'];
const CONFLICTS = [
  'check_ins_conflict_idx',
  'check_ins_passed_at_idx',
  'devices_pkey',
  'ticket_types_pkey',
  'tickets_pkey',
];
const SHOWN = ['events_pkey', 'orders_pkey', 'ticket_types_pkey', 'users_pkey'];

/** Statements, what stands behind their parameters, and the indexes that they read by. */
const STATEMENTS: [string, Statement, values: unknown[], indexes: string[]][] = [
  ['a device by its token', FIND_DEVICE, [Buffer.alloc(32)], ['devices_token_hash_idx']],
  ['the devices of an event', LIST_DEVICES, [MANY, 0, 51], ['devices_event_id_id_idx']],
  ['revoking a device', REVOKE_DEVICE, [1, 1, NOW], ['devices_pkey', 'events_pkey', 'users_pkey']],
  ['noting a device', NOTE_DEVICE, [1], ['devices_pkey']],
  ['silent devices', COUNT_SILENT, [], ['devices_seen_at_idx', 'events_pkey']],
  ['a gate', FIND_GATE, [MANY, 1], ['devices_event_id_id_idx', 'events_pkey']],
  [
    'changes for a gate',
    LIST_GATE_CHANGES,
    [MANY, 0, 0, 501],
    ['gate_changes_event_id_changed_in_idx', 'tickets_pkey'],
  ],
  ['who may come', LIST_GATE_ATTENDEES, [MANY, 0, 0, 501], OF_EVENT],
  ['attendees', LIST_ATTENDEES, [MANY, 0, 0, 51], ATTENDEES],
  ['attendees of an event with few', LIST_ATTENDEES, [FEW, 0, 0, 51], ATTENDEES],
  ['all orders', EXPORTED_ORDERS, [MANY, LAST, 500], ['orders_event_id_id_idx', 'users_pkey']],
  ['check-ins', LIST_CHECK_INS, [MANY, LAST, 51], [...LOG, 'check_ins_event_id_id_idx']],
  ['conflicts', LIST_CONFLICTS, [MANY, LAST, 51], CONFLICTS],
  ['conflicts of an event with few', LIST_CONFLICTS, [FEW, LAST, 51], CONFLICTS],
  ['a ticket that is shown', SHOWN_TICKET, [1, 1, NOW, false], [...SHOWN, 'tickets_pkey']],
  ['an order that is shown', SHOWN_ORDER, [1, 1, NOW, false], [...SHOWN, 'tickets_order_id_idx']],
];

const TO_CHECK_IN = [
  'check_ins_device_nonce_idx',
  'check_ins_passage_idx',
  'check_ins_passed_at_idx',
  'check_ins_pkey',
  'check_ins_user_nonce_idx',
  'devices_event_id_id_idx',
  'devices_pkey',
  'events_pkey',
  'orders_pkey',
  'ticket_changes_pkey',
  'ticket_types_pkey',
  'tickets_pkey',
];
const SCANS = 128;

describe('in a large database', () => {
  let database: TestDatabase;
  let client: Client;
  let device: number;
  let tickets: number[];

  beforeAll(async () => {
    [database, client] = await createLargeDatabase();
    for (const statement of [...sellMuchOf(MANY), ...OPEN_GATES]) await client.query(statement);
    const { rows } = await client.query<{ device: number; tickets: number[] }>(
      `SELECT (SELECT min(id)::int FROM devices WHERE event_id = ${MANY}) AS device, ARRAY(
        SELECT tickets.id::int FROM tickets JOIN orders ON orders.id = order_id
        WHERE orders.event_id = ${MANY} AND orders.status = 'paid' LIMIT ${SCANS}
      ) AS tickets`,
    );
    [{ device, tickets }] = rows as [{ device: number; tickets: number[] }];
  }, 180_000);
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  const { explain, explainWithout } = explainBy(() => client);

  describe.each(STATEMENTS)('%s', (_name, { text }, values, indexes) => {
    it('is read by indexes alone', async () => {
      expectIndexes(await explain(text, values), indexes);
    });

    // The indexes of primary keys can't be dropped alone.
    for (const index of indexes.filter((name) => name.endsWith('_idx'))) {
      it(`would be missed without ${index}`, async () => {
        const plan = await explainWithout(index, text, values);
        expect(() => expectIndexes(plan, indexes)).toThrow();
      });
    }
  });

  describe('checking in', () => {
    const fill = <Value>(value: Value) => tickets.map(() => value);
    /** Late scans of a device, and of an account, some of before the other ones, half of which were sent before. */
    const batch = (): unknown[] => [
      fill(MANY),
      tickets.map((_, i) => (i % 4 > 0 ? device : null)),
      tickets.map((_, i) => (i % 4 > 0 ? null : 1)),
      tickets.map((id, i) => (i % 2 > 0 ? `new ${id}` : String(id))),
      ...[
        tickets,
        fill(0),
        fill('entry'),
        tickets.map((_, i) => (i % 3 > 0 ? null : '2020-01-01')),
        fill(true),
      ],
    ];
    const reads = async () => {
      // The planner looks at the ends of indexes, too.
      await readsOf(client, CHECK_IN.text, batch());
      return await readsOf(client, CHECK_IN.text, batch());
    };

    it('reads a few rows for each scan, by indexes alone', async () => {
      const { answers, tables, indexes, rows } = await reads();
      expect({ answers, tables, indexes }).toEqual({ answers: SCANS, tables: [], indexes: TO_CHECK_IN });
      expect(rows).toBeLessThan(SCANS * 20);
    });

    it('reads no more of a ticket that went in and out thousands of times', async () => {
      const late = batch().map((values) => (values as unknown[]).slice(3, 4));
      const few = (await readsOf(client, CHECK_IN.text, late)).rows;
      await client.query(
        `INSERT INTO check_ins (event_id, user_id, nonce, ticket_id, kind, result, passage, scanned_at, received_at, passed_at)
        SELECT ${MANY}, 1, 'passage ' || n, $1, CASE n % 2 WHEN 0 THEN 'entry' ELSE 'exit' END,
          CASE n % 2 WHEN 0 THEN 'admitted' ELSE 'left' END, n, at, at, at
        FROM generate_series(1, 4000) AS n, LATERAL (SELECT timestamptz '2019-12-31 23:30' + n * interval '1 second' AS at) AS clock`,
        [late[4]?.[0]],
      );
      expect((await readsOf(client, CHECK_IN.text, late)).rows).toBeLessThan(few + 10);
      await client.query(`DELETE FROM check_ins WHERE nonce LIKE 'passage %'`);
    });

    it.each(TO_CHECK_IN.filter((index) => index.endsWith('_idx')))(
      'would be missed without %s',
      async (index) => {
        const { tables, indexes } = await withoutIndex(client, index, () => reads());
        expect({ tables, indexes }).not.toEqual({ tables: [], indexes: TO_CHECK_IN });
      },
    );

    it('is what the migrations made', async () => {
      const read = `SELECT prosrc, proconfig FROM pg_proc WHERE proname = 'check_in'`;
      const before = await client.query(read);
      await client.query(CHECK_IN_FUNCTION);
      expect((await client.query(read)).rows).toEqual(before.rows);
    });

    describe('when statistics know of no check-in', () => {
      beforeAll(async () => {
        await client.query('TRUNCATE check_ins');
        await client.query('VACUUM ANALYZE check_ins');
      });

      /** Of a session that has planned before the first scan: which tables it then reads from end to end. */
      async function tablesRead(): Promise<string[]> {
        const session = new Client({ connectionString: database.url });
        await session.connect();
        try {
          return (await readsOf(session, CHECK_IN.text, batch())).tables;
        } finally {
          await session.end();
        }
      }

      it('reads by indexes alone', async () => {
        expect(await tablesRead()).toEqual([]);
      });

      it('would not if it were planned by them', async () => {
        await client.query('ALTER FUNCTION check_in RESET enable_seqscan');
        expect(await tablesRead()).toContain('check_ins');
      });
    });
  });
});
