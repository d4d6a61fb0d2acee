import { type Report } from '../../scripts/doctor/report';
import { checkSeats } from '../../scripts/doctor/seats';
import { readSettings } from '../../src/config/settings';
import { TixxetyDataSource } from '../../src/database/tixxety-data-source';
import { startTestApi, type TestApi } from '../support/api';
import { createDatabase, type TestDatabase } from '../support/databases';
import { doctorOf } from '../support/doctor';
import { makeOrders, sellEvents } from '../support/fill';
import { INVENTORY_MISMATCHES } from '../support/seats';
import { services } from '../support/services';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

const { doctor, findings } = doctorOf(() => database);

describe('of seats', () => {
  let api: TestApi;
  let user: { id: number };
  beforeAll(async () => {
    api = await startTestApi({ DATABASE_URL: database.url, MAX_HOLDS_PER_USER_EVENT: '0' });
    user = await api.create.user();
  });
  afterAll(() => api.stop());

  /** An event with a hold and a sale. */
  async function booked(): Promise<number> {
    const { id } = await api.create.event();
    const [, { id: ticket }] = [
      await api.create.ticket({ user_id: user.id, event_id: id }),
      await api.create.ticket({ user_id: user.id, event_id: id }),
    ];
    expect(await api.client.post(`/tickets/${ticket}/pay`)).toMatchObject({ status: 200 });
    return id;
  }

  const inventory = () => api.sql('SELECT * FROM quotas ORDER BY id');

  it('finds every fault, and repairs those that are in the counters, and no others', async () => {
    const [sound, held, sold, oversold, unsold] = [
      await booked(),
      await booked(),
      await booked(),
      await booked(),
      (await api.create.event()).id as number,
    ];
    const before = await inventory();
    await api.sql('UPDATE quotas SET held = 5 WHERE event_id = $1', [held]);
    await api.sql('UPDATE quotas SET sold = 0 WHERE event_id = $1', [sold]);
    await api.sql('UPDATE quotas SET capacity = 1, held = 0 WHERE event_id = $1', [oversold]);
    await api.sql('DELETE FROM quotas WHERE event_id = $1', [unsold]);

    const faults = [
      `event ${held} has held = 5 and 1 reserved ticket`,
      `event ${sold} has sold = 0 and 1 paid ticket`,
      `event ${oversold} is oversold, with 2 tickets for 1 seat, has held = 0 and 1 reserved ticket`,
      `event ${unsold} has no counter in quotas: nobody can book it`,
    ];
    const found = await doctor();
    expect(found.code).toBe(1);
    expect(found.output).toMatch(/^WRONG {5}seats +4 of \d+ events are not in order$/m);
    expect(found.output.match(/(?<=^ +- ).+$/gm)).toEqual(faults);

    const { code, output } = await doctor(['--fix', '--json']);
    const { status, checks } = JSON.parse(output) as Pick<Report, 'checks'> & { status: string };
    expect({ code, status, seats: checks.find(({ check }) => check === 'seats') }).toMatchObject({
      code: 1,
      status: 'wrong',
      seats: {
        check: 'seats',
        status: 'wrong',
        message: expect.stringMatching(/^2 of \d+ events are not in order, 2 repaired$/),
        advice: expect.stringMatching(/^(?!.*Set the counters).*INSERT INTO quotas.*raise the capacity/),
        details: [
          { id: held, repaired: true, message: `event ${held}: held 5 → 1, sold 1 → 1` },
          {
            id: sold,
            held: 1,
            sold: 0,
            reserved: 1,
            paid: 1,
            repaired: true,
            message: `event ${sold}: held 1 → 1, sold 0 → 1`,
          },
          { repaired: false, message: faults[2] },
          { repaired: false, message: faults[3] },
        ],
      },
    });

    await api.sql('UPDATE quotas SET capacity = 10 WHERE event_id = $1', [oversold]);
    await api.sql(
      `INSERT INTO quotas (id, event_id, kind, capacity)
      SELECT quota_ids[1], event_id, 'event', 10 FROM ticket_types WHERE event_id = $1`,
      [unsold],
    );
    expect(await findings({}, true)).toMatchObject({
      code: 0,
      seats: { details: [{ message: `event ${oversold}: held 0 → 1, sold 1 → 1` }] },
    });
    expect(await inventory()).toEqual(before);
    expect(before.map((row) => Number(row.event_id))).toContain(sound);
  }, 120_000);

  it('finds tickets that lost their user or their event by hand', async () => {
    const [event, buyer] = [await booked(), await api.create.user()];
    const lost = await api.create.event();
    const [byUser, byEvent] = [
      await api.create.ticket({ user_id: buyer.id, event_id: event }),
      await api.create.ticket({ user_id: user.id, event_id: lost.id }),
    ];
    expect((await findings()).orphans).toMatchObject({ status: 'ok' });

    await api.sql('DELETE FROM sessions WHERE user_id = $1', [buyer.id]);
    await api.sql('DELETE FROM users WHERE id = $1', [buyer.id]);
    await api.sql('DELETE FROM quotas WHERE event_id = $1', [lost.id]);
    await api.sql('DELETE FROM events WHERE id = $1', [lost.id]);
    const found = await findings({}, true);
    expect(found).toMatchObject({ code: 1, orphans: { status: 'wrong' } });
    expect(JSON.stringify(found.orphans)).toMatch(/without a user.*without an event/s);
    await api.sql('DELETE FROM orders WHERE user_id = $1 OR event_id = $2', [buyer.id, lost.id]);
    await api.sql('DELETE FROM tickets WHERE id = ANY ($1)', [[byUser.id, byEvent.id]]);
    await api.sql('DELETE FROM ticket_types WHERE event_id = $1', [lost.id]);
    expect(await findings({}, true)).toMatchObject({ orphans: { status: 'ok' } });
  });

  it('raises no false alarm beside a rush', async () => {
    const event = await api.create.event({ total_tickets: 1_000_000 });
    let isOver = false;
    const rush = Array.from({ length: 8 }, async (_, i) => {
      while (!isOver) {
        const { id } = await api.create.ticket({ user_id: user.id, event_id: event.id });
        if (i % 3 > 0) await api.client.post(`/tickets/${id}/${i % 3 === 1 ? 'pay' : 'cancel'}`);
      }
    });
    const alarms: unknown[] = [];
    try {
      for (let i = 0; i < 3; i++) {
        const { seats } = await findings();
        if (seats?.status !== 'ok') alarms.push(seats);
      }
    } finally {
      isOver = true;
      await Promise.all(rush);
    }
    expect(alarms).toEqual([]);
  });

  it('repairs beside a booking, which neither waits for the other in vain nor is forgotten', async () => {
    const event = await booked();
    await api.sql('UPDATE quotas SET held = held + 3, sold = sold + 2 WHERE event_id = $1', [event]);
    const booking = await database.begin(
      makeOrders(
        `SELECT $1::bigint, $2::bigint, 'held', now(), now() + interval '1 hour', NULL::timestamptz FROM booked`,
        'booked AS (UPDATE quotas SET held = held + 1 WHERE event_id = $2 RETURNING id)',
      ),
      [user.id, event],
    );
    const repair = findings({}, true);
    await database.untilBlocked();
    await booking.commit();
    expect((await repair).seats).toMatchObject({
      status: 'ok',
      details: [{ message: `event ${event}: held 4 → 2, sold 3 → 1` }],
    });
    expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]);
  });

  describe('of many tickets', () => {
    const TICKETS = 300_000;
    let crowd: TestDatabase;
    let source: TixxetyDataSource;
    let event: number;

    beforeAll(async () => {
      crowd = await createDatabase();
      await crowd.sql(`INSERT INTO users (name, email) VALUES ('Ada', 'ada@example.com')`);
      const [row] = await crowd.sql<{ id: string }>(
        `INSERT INTO events (title, start_time, end_time) VALUES ('Concert', '2099-01-01', '2099-01-01') RETURNING id`,
      );
      event = Number(row?.id);
      await crowd.sql(sellEvents(`SELECT id, 10000000, ${TICKETS} + 5, 0 FROM events`));
      await crowd.sql(
        makeOrders(`SELECT (SELECT max(id) FROM users), $1::bigint, 'held', now(), now() + interval '1 day', NULL::timestamptz
          FROM generate_series(1, ${TICKETS})`),
        [event],
      );
      await crowd.sql('VACUUM ANALYZE orders, tickets, ticket_types');
      source = await new TixxetyDataSource(readSettings({ DATABASE_URL: crowd.url }), 'tool').initialize();
    }, 120_000);
    afterAll(async () => {
      await source.destroy();
      await crowd.drop();
    });

    it('counts a range at a time, each within the limit of a statement, and leaves the counters to bookings', async () => {
      const count = 'SELECT count(paid_at) FROM ticket_states';
      const [plan] = await crowd.sql(`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${count}`);
      // A third of what all takes, on whatever machine: far more than a range of 1,000 does.
      const statementMs = Math.ceil(plan['QUERY PLAN'][0]['Execution Time'] / 3);
      await expect(crowd.sql(`SET statement_timeout = ${statementMs}; ${count}`)).rejects.toThrow(
        /statement timeout/,
      );

      let bookings = 0;
      let booking: Promise<unknown> = Promise.resolve();
      const book = () => {
        bookings++;
        const text = `SET lock_timeout = 200; SELECT FROM quotas WHERE event_id = ${event} FOR UPDATE`;
        booking = booking.then(() => crowd.sql(text));
      };
      const { status, details } = await checkSeats(source, {
        fix: true,
        statementMs,
        stopped: new AbortController().signal,
        progress: (_, work) => work(book),
      });
      expect(bookings).toBeGreaterThan(1);
      await booking;
      expect({ status, details }).toMatchObject({
        status: 'ok',
        details: [{ message: `event ${event}: held ${TICKETS + 5} → ${TICKETS}, sold 0 → 0` }],
      });
      expect(await crowd.sql(INVENTORY_MISMATCHES)).toEqual([]);
    });
  });

  it('finds holds that nobody ends', async () => {
    await api.app.close();
    await database.sql(
      `UPDATE orders SET expires_at = now() - interval '1 hour' WHERE id = (SELECT min(id) FROM orders WHERE status = 'held')`,
    );
    const [alone, withRedis] = await Promise.all([
      findings(),
      findings({ REDIS_URL: services.addresses.redis ?? 'redis://127.0.0.1:1' }),
    ]);
    const holds = {
      status: 'wrong',
      message: expect.stringMatching(/^1 hold overdue by up to 36\d\d s: nobody releases them$/),
    };
    expect(alone).toMatchObject({
      code: 1,
      holds: { ...holds, advice: expect.stringMatching(/^Start the API/) },
    });
    expect(withRedis).toMatchObject({
      holds: { ...holds, advice: expect.stringMatching(/^Start a worker/) },
    });
  });
});
