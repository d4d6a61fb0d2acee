import { startTestApi, type TestApi } from '../support/api';
import type { Answer } from '../support/client';
import { createDatabase, type TestDatabase } from '../support/databases';
import { expectProblem } from '../support/problems';
import { INVENTORY_MISMATCHES } from '../support/seats';

/** Two processes that share nothing but the database: one changes events, the other sells their places. */
describe('an event that is changed while its places are taken', () => {
  let database: TestDatabase;
  let office: TestApi;
  let shop: TestApi;
  let user: { id: number };

  beforeAll(async () => {
    database = await createDatabase();
    const settings = { DATABASE_URL: database.url, MAX_HOLDS_PER_USER_EVENT: '0' };
    [office, shop] = await Promise.all([startTestApi(settings), startTestApi(settings)]);
    user = await office.create.user();
  });
  afterEach(async () => expect(await database.sql(INVENTORY_MISMATCHES)).toEqual([]));
  afterAll(async () => {
    await office.stop();
    await shop.stop();
    await database.drop();
  });

  const reserve = ({ id }: { id: number }, key?: string) =>
    shop.client.post(
      '/tickets/',
      { user_id: user.id, event_id: id },
      key === undefined ? {} : { 'Idempotency-Key': key },
    );
  const patch = ({ id }: { id: number }, changes: object) =>
    office.client.send('PATCH', `/events/${id}`, {
      body: JSON.stringify(changes),
      headers: { 'Content-Type': 'application/json' },
    });
  const remove = ({ id }: { id: number }) => office.client.send('DELETE', `/events/${id}`);
  const outcomeOf = ({ status, body }: Answer) => (status < 400 ? String(status) : `${status} ${body.code}`);
  const seats = async ({ id }: { id: number }) =>
    (await database.sql('SELECT capacity, held, sold FROM quotas WHERE event_id = $1', [id]))[0];

  /** Of an event without orders. */
  const beginDeletion = ({ id }: { id: number }) =>
    database.begin(
      `WITH counter AS (DELETE FROM quotas WHERE event_id = $1) DELETE FROM events WHERE id = $1`,
      [id],
    );

  /** A reservation that has its place, and has not committed yet. */
  const takePlace = ({ id }: { id: number }) =>
    database.begin(
      `WITH type AS (
        SELECT id, quota_ids FROM ticket_types WHERE event_id = $1
      ), taken AS (
        UPDATE quotas SET held = held + 1 WHERE id = ANY (ARRAY(SELECT unnest(quota_ids) FROM type)) RETURNING held
      ), placed AS (
        INSERT INTO orders (user_id, event_id, status, places, created_at, expires_at, type_ids, numbers, quota_ids, quota_numbers)
        SELECT $2, $1, 'held', 1, now(), now() + interval '1 hour', ARRAY[id], ARRAY[1], quota_ids, ARRAY[1] FROM type, taken
        RETURNING id, type_ids
      )
      INSERT INTO tickets (order_id, ticket_type_id) SELECT id, type_ids[1] FROM placed`,
      [id, user.id],
    );

  it('has places for what is taken while its capacity shrinks', async () => {
    const event = await office.create.event({ total_tickets: 5 });
    const reservation = await takePlace(event);
    const shrinking = patch(event, { total_tickets: 0 });
    await database.untilBlocked();
    await reservation.commit();
    const refused = await shrinking;
    expectProblem(refused, 409, 'capacity_in_use');
    expect(refused.body).toMatchObject({ held: 1, sold: 0 });
    const { body } = await patch(event, { total_tickets: 1 });
    expect(body).toMatchObject({ total_tickets: 1, tickets_held: 1, tickets_available: 0 });
    expectProblem(await reserve(event), 409, 'event_sold_out');
  });

  it('tells how many places are held, and how many sold', async () => {
    const event = await office.create.event({ total_tickets: 5 });
    const tickets = [await reserve(event), await reserve(event), await reserve(event)];
    await shop.client.post(`/tickets/${tickets[0]?.body.id}/pay`);
    const refused = await patch(event, { total_tickets: 2, title: 'Smaller' });
    expectProblem(refused, 409, 'capacity_in_use');
    expect(refused.body).toMatchObject({ held: 2, sold: 1 });
    expect((await office.client.get(`/events/${event.id}`)).body).toMatchObject({
      title: event.title,
      total_tickets: 5,
    });
    expect((await patch(event, { total_tickets: 3 })).status).toBe(200);
  });

  it('shrinks to the last place while many buy', async () => {
    for (let round = 0; round < 5; round++) {
      const event = await office.create.event({ total_tickets: 60 });
      const buying = Array.from({ length: 50 }, () => reserve(event));
      const shrinking = [40, 30, 20, 10].map((total_tickets) => patch(event, { total_tickets }));
      const bought = (await Promise.all(buying)).map(outcomeOf);
      const shrunk = (await Promise.all(shrinking)).map(outcomeOf);
      for (const outcome of bought) expect(['201', '409 event_sold_out']).toContain(outcome);
      for (const outcome of shrunk) expect(['200', '409 capacity_in_use']).toContain(outcome);
      const { capacity, held } = await seats(event);
      expect(held).toBe(bought.filter((outcome) => outcome === '201').length);
      expect(held).toBeLessThanOrEqual(capacity);
      // The last of those that were granted, whichever that was.
      const granted = [40, 30, 20, 10].filter((_, i) => shrunk[i] === '200');
      expect([60, ...granted]).toContain(capacity);
    }
  });

  it('keeps its currency where a ticket comes first', async () => {
    const event = await office.create.event({ currency: 'EUR' });
    const reservation = await takePlace(event);
    const changing = patch(event, { currency: 'USD' });
    await database.untilBlocked();
    await reservation.commit();
    expectProblem(await changing, 409, 'currency_fixed');
  });

  it.each([
    ['EUR', 'JPY'],
    [null, 'EUR'],
    ['EUR', null],
  ])('has orders in its new currency where the change from %s to %s comes first', async (from, to) => {
    const event = await office.create.event({ currency: from });
    const sale = await database.begin('SELECT FROM quotas WHERE event_id = $1 FOR UPDATE', [event.id]);
    const changing = patch(event, { currency: to });
    await database.untilBlocked();
    // It has read the old currency when it comes to wait behind the change.
    const buying = reserve(event);
    await database.untilBlocked(2);
    await sale.commit();
    expect([(await changing).status, (await buying).status]).toEqual([200, 201]);
    const orders = await database.sql('SELECT currency FROM orders WHERE event_id = $1', [event.id]);
    expect(orders).toEqual([{ currency: to }]);
  });

  it('is not deleted where a ticket comes first', async () => {
    const event = await office.create.event();
    const reservation = await takePlace(event);
    const deleting = remove(event);
    await database.untilBlocked();
    await reservation.commit();
    expectProblem(await deleting, 409, 'event_has_orders');
  });

  it.each([undefined, 'too-late'])(
    'has no ticket where deleting comes first, with the key %s',
    async (key) => {
      const event = await office.create.event();
      const deletion = await beginDeletion(event);
      const buying = [reserve(event, key), reserve(event)];
      await database.untilBlocked();
      await deletion.commit();
      for (const answer of await Promise.all(buying)) expectProblem(answer, 404, 'event_not_found');
      if (key) {
        const { status, headers } = await reserve(event, key);
        expect([status, headers.get('idempotent-replayed')]).toEqual([404, 'true']);
      }
    },
  );

  it.each([undefined, 'cancelled-too-late'])(
    'is not cancelled where deleting comes first, with the key %s',
    async (key) => {
      const event = await office.create.event();
      const deletion = await beginDeletion(event);
      const headers: Record<string, string> = key === undefined ? {} : { 'Idempotency-Key': key };
      const cancelling = office.client.post(`/events/${event.id}/cancel`, undefined, headers);
      await database.untilBlocked();
      await deletion.commit();
      expectProblem(await cancelling, 404, 'event_not_found');
      const left = 'SELECT FROM event_cancellations WHERE event_id = $1';
      expect(await database.sql(left, [event.id])).toEqual([]);
    },
  );

  it.each(['ticket_types', 'orders'])(
    'has no ticket where deleting ends just before its %s are read',
    async (table) => {
      const event = await office.create.event();
      const deletion = await database.begin(
        `LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE; DELETE FROM ticket_types WHERE event_id = ${event.id};
        DELETE FROM quotas WHERE event_id = ${event.id}; DELETE FROM events WHERE id = ${event.id}`,
      );
      const buying = reserve(event);
      await database.untilBlocked();
      await deletion.commit();
      expectProblem(await buying, 404, 'event_not_found');
    },
  );

  it.each([undefined, 'a-device'])('gets no device once it is deleted, with the key %s', async (key) => {
    const event = await office.create.event();
    const deletion = await beginDeletion(event);
    const headers: Record<string, string> = key === undefined ? {} : { 'Idempotency-Key': key };
    const device = office.client.post(`/events/${event.id}/devices`, { name: 'North' }, headers);
    await database.untilBlocked();
    await deletion.commit();
    expectProblem(await device, 404, 'event_not_found');
  });

  it('has either a ticket or an end, whoever is first', async () => {
    const outcomes = new Set<string>();
    for (let round = 0; round < 40; round++) {
      const event = await office.create.event();
      const order = reserve(event);
      if (round % 2) await new Promise((resolve) => setTimeout(resolve, round / 10));
      const [bought, deleted] = (await Promise.all([order, remove(event)])).map(outcomeOf);
      outcomes.add(`${bought}, ${deleted}`);
    }
    const allowed = ['201, 409 event_has_orders', '404 event_not_found, 204'];
    expect(allowed).toEqual(expect.arrayContaining([...outcomes]));
    const orphans = 'SELECT id FROM orders WHERE event_id NOT IN (SELECT id FROM events)';
    expect(await database.sql(orphans)).toEqual([]);
  });
});
