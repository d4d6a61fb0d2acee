import { startTestApi, type TestApi } from '../support/api';
import { partyOf, stageBy, type Party } from '../support/orders';
import { INVENTORY_MISMATCHES } from '../support/seats';

describe('many orders at once', () => {
  let api: TestApi;
  let organizer: Party;
  let buyer: Party;

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0' });
    [organizer, buyer] = [await partyOf(api), await partyOf(api)];
  });
  afterEach(async () => expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]));
  afterAll(() => api.stop());

  const stage = stageBy(() => api);

  it('sell out to the last place that fits, from two processes', async () => {
    const other = await startTestApi({
      DATABASE_URL: api.settings.DATABASE_URL ?? '',
      MAX_HOLDS_PER_USER_EVENT: '0',
    });
    try {
      const event = await stage.event(organizer, { total_tickets: 30 });
      const shared = await stage.quota(event.id, 'type', 20);
      const types = [
        await stage.type(event, { quotaId: shared }),
        await stage.type(event, { quotaId: shared }),
        await stage.type(event),
      ];
      const answers = await Promise.all(
        Array.from({ length: 64 }, (_, i) => {
          const items = types
            .map((ticket_type_id, t) => ({ ticket_type_id, quantity: 1 + ((i + t) % 3) }))
            .slice(0, 1 + (i % 3));
          const by = i % 2 ? other.client : api.client;
          return by.post('/orders', { user_id: buyer.id, event_id: event.id, items });
        }),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 409]));
      const tickets = answers.flatMap(({ body }) => (body.tickets as object[] | undefined) ?? []);
      const [counted] = await stage.counters(event);
      expect(counted).toMatchObject({ kind: 'event', held: tickets.length });
      // One more of what fits is still granted, and then none.
      for (const ticket_type_id of types) {
        const one = { user_id: buyer.id, event_id: event.id, items: [{ ticket_type_id, quantity: 1 }] };
        while ((await api.client.post('/orders', one)).status === 201);
      }
      expect((await stage.counters(event))[0]).toMatchObject({ held: 30 });
    } finally {
      await other.stop();
    }
  });
});
