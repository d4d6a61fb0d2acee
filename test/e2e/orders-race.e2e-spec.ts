import { InventoryService } from '../../src/inventory/inventory.service';
import type { Problem } from '../../src/problems/problem';
import { startTestApi, type TestApi } from '../support/api';
import { partyOf, stageBy, type Party } from '../support/orders';
import { INVENTORY_MISMATCHES } from '../support/seats';

const CLIENTS = 64;
const MOST_TICKETS = 8;

describe('many orders at once', () => {
  let apis: [TestApi, TestApi];
  let organizer: Party;
  let buyer: Party;

  beforeAll(async () => {
    const settings = { MAX_HOLDS_PER_USER_EVENT: '0', MAX_HOLDS_PER_NETWORK_EVENT: '0' };
    const api = await startTestApi(settings);
    apis = [api, await startTestApi({ ...settings, DATABASE_URL: api.settings.DATABASE_URL ?? '' })];
    [organizer, buyer] = [await partyOf(api), await partyOf(api)];
  });
  afterEach(async () => expect(await apis[0].sql(INVENTORY_MISMATCHES)).toEqual([]));
  afterAll(async () => {
    await apis[1].stop();
    await apis[0].stop();
  });

  const stage = stageBy(() => apis[0]);
  const clientOf = (n: number) => (apis[n % 2] as TestApi).client;
  const place = (n: number, event: { id: number }, items: object[]) =>
    clientOf(n).post('/orders', { user_id: buyer.id, event_id: event.id, items });

  it('sell out to the last place that fits, from two processes', async () => {
    const event = await stage.event(organizer, { total_tickets: 400 });
    const shared = await stage.quota(event.id, 'type', 150);
    const types = [
      await stage.type(event, { quotaId: shared }),
      await stage.type(event, { quotaId: shared }),
      await stage.type(event),
    ];
    /** So many tickets over some of the types, from one on: which, the number says. */
    const itemsOf = (tickets: number, n: number) => {
      const chosen = Array.from({ length: tickets }, (_, i) => types[(n + i * (1 + (n % 3))) % 3] as number);
      return [...new Set(chosen)].map((ticket_type_id) => ({
        ticket_type_id,
        quantity: chosen.filter((id) => id === ticket_type_id).length,
      }));
    };
    const outcomes = new Set<string>();
    let bought = 0;
    // Each buys until a single ticket of its type is refused: what does not fit is tried with less.
    const buy = async (client: number) => {
      for (let n = client, tickets = 1 + (client % MOST_TICKETS); tickets > 0; n++) {
        const { status, body } = await place(client, event, itemsOf(tickets, n));
        outcomes.add(`${status} ${body.code?.length > 10 ? body.code : ''}`.trim());
        if (status === 201) bought += tickets;
        else tickets--;
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, (_, client) => buy(client)));
    expect([...outcomes].sort()).toEqual(['201', '409 event_sold_out', '409 ticket_type_sold_out']);
    for (const ticket_type_id of types) {
      while ((await place(0, event, [{ ticket_type_id, quantity: 1 }])).status === 201) bought++;
    }
    const [whole, some] = await stage.counters(event);
    expect(whole).toMatchObject({ kind: 'event', held: 400 });
    expect(bought).toBe(400);
    expect(some.held).toBeLessThanOrEqual(150);
  });

  it('go on behind one that does not fit', async () => {
    for (const shared of [undefined, 10]) {
      const event = await stage.event(organizer, { total_tickets: shared === undefined ? 10 : 1_000 });
      const ticketTypeId = await stage.type(event, { ...(shared !== undefined && { capacity: shared }) });
      const other = await stage.event(organizer);
      const otherTypeId = await stage.type(other);
      const inventory = apis[0].app.get(InventoryService);
      const hold = (eventId: number, typeId: number, quantity: number) =>
        inventory.holdPlaces({ userId: buyer.id, eventId, items: [{ ticketTypeId: typeId, quantity }] }).then(
          () => 'held',
          (refusal: unknown) => (refusal as Problem).code,
        );
      // While the first is on its way, the others gather in one statement, in this order.
      const first = hold(other.id, otherTypeId, 1);
      const sizes = [3, 8, 1, 1, 8, 2, 1, 1, 1, 1];
      const outcomes = await Promise.all(sizes.map((quantity) => hold(event.id, ticketTypeId, quantity)));
      expect(await first).toBe('held');
      const full = shared === undefined ? 'event_sold_out' : 'ticket_type_sold_out';
      expect(outcomes).toEqual(['held', full, 'held', 'held', full, 'held', 'held', 'held', 'held', full]);
    }
  });

  it('never wait for each other, in whatever sequence they name types of several quotas', async () => {
    const deadlocks = async () => {
      const [row] = await apis[0].sql(
        'SELECT pg_stat_force_next_flush(), deadlocks FROM pg_stat_database WHERE datname = current_database()',
      );
      return Number(row.deadlocks);
    };
    const before = await deadlocks();
    const event = await stage.event(organizer, { total_tickets: 10_000 });
    const types = [
      await stage.type(event, { capacity: 5_000 }),
      await stage.type(event, { capacity: 5_000 }),
      await stage.type(event, { capacity: 5_000 }),
    ];
    await stage.code(event, 'all', { percent: 10, uses: 10_000 });
    const buy = async (client: number) => {
      const answers = [];
      for (let round = 0; round < 4; round++) {
        const turned = types.slice(client % 3).concat(types.slice(0, client % 3));
        const items = (client % 2 ? turned : turned.reverse()).map((ticket_type_id) => ({
          ticket_type_id,
          quantity: 1,
        }));
        const { status, body } = await clientOf(client).post('/orders', {
          user_id: buyer.id,
          event_id: event.id,
          items,
          ...(round % 2 && { code: 'all' }),
        });
        answers.push(status);
        if (status !== 201) continue;
        const [path, paid] = [`/orders/${body.code}`, (client + round) % 3];
        if (paid === 0) answers.push((await clientOf(client + 1).post(`${path}/payments`, {})).status);
        if (paid === 1) answers.push((await clientOf(client + 1).post(`${path}/cancel`)).status);
      }
      return answers;
    };
    const statuses = (await Promise.all(Array.from({ length: CLIENTS }, (_, client) => buy(client)))).flat();
    // A machine that is busy with other things may be too late for one or the other.
    expect(statuses.filter((status) => ![200, 201, 503].includes(status))).toEqual([]);
    expect(statuses.filter((status) => status === 201).length).toBeGreaterThan(CLIENTS);
    expect(await deadlocks()).toBe(before);
  });
});
