import { voidTicket } from '../../src/inventory/void-ticket.statement';
import { startTestApi, type TestApi } from '../support/api';
import { UNKNOWN } from '../support/bookings';
import { createDatabase, type TestDatabase } from '../support/databases';
import { partyOf, stageBy, type Party, type TicketBody } from '../support/orders';
import { expectProblem } from '../support/problems';
import { INVENTORY_MISMATCHES } from '../support/seats';

describe('a ticket of an order', () => {
  let database: TestDatabase;
  let api: TestApi;
  let organizer: Party;
  let buyer: Party;
  let stranger: Party;
  let event: { id: number };
  let type: number;

  beforeAll(async () => {
    database = await createDatabase();
    api = await startTestApi({ DATABASE_URL: database.url, MAX_HOLDS_PER_USER_EVENT: '0' });
    [organizer, buyer, stranger] = [await partyOf(api), await partyOf(api), await partyOf(api)];
    event = await stage.event(organizer, { total_tickets: 100 });
    type = await stage.type(event, { capacity: 50 });
  });
  afterEach(async () => expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]));
  afterAll(async () => {
    await api.stop();
    await database.drop();
  });

  const stage = stageBy(() => api);
  const place = async (quantity = 2) => {
    const items = [{ ticket_type_id: type, quantity }];
    return (await buyer.client.post('/orders', { event_id: event.id, items })).body;
  };
  const pay = ({ code }: { code: string }) => buyer.client.post(`/orders/${code}/payments`, {});
  const admin = () => ({ id: 0, client: api.client });

  describe('PATCH /tickets/{ticket_id}', () => {
    const patch = (id: number, body: object, by: Party = buyer) =>
      by.client.send('PATCH', `/tickets/${id}`, {
        body: JSON.stringify(body),
        headers: { 'Content-Type': 'application/json' },
      });
    const attendee = { name: 'Ada Lovelace', email: 'ada@example.com' };

    it('names the attendee, and another one later', async () => {
      const order = await place();
      const [ticket] = order.tickets;
      const first = await patch(ticket.id, { attendee });
      expect(first).toMatchObject({ status: 200, body: { id: ticket.id, status: 'reserved', attendee } });
      await pay(order);
      const second = await patch(ticket.id, { attendee: { name: 'Charles' } });
      const handedOn = { name: 'Charles', email: null };
      expect(second).toMatchObject({ status: 200, body: { status: 'paid', attendee: handedOn } });
      const { body } = await buyer.client.get(`/orders/${order.code}`);
      expect((body.tickets as { attendee: object }[]).map((each) => each.attendee)).toEqual([handedOn, null]);
      expect((await buyer.client.get(`/tickets/${ticket.id}`)).body).toEqual(second.body);
    });

    it('is for the buyer and an admin', async () => {
      const [{ id }] = (await place()).tickets;
      expectProblem(await patch(id, { attendee }, organizer), 403, 'forbidden');
      expectProblem(await patch(id, { attendee }, stranger), 404, 'ticket_not_found');
      expectProblem(await patch(UNKNOWN, { attendee }), 404, 'ticket_not_found');
      expect((await buyer.client.get(`/tickets/${id}`)).body.attendee).toBeNull();
      expect((await patch(id, { attendee }, admin())).status).toBe(200);
    });

    it('refuses a ticket that is good no more', async () => {
      const [cancelled, due] = [await place(), await place()];
      await buyer.client.post(`/orders/${cancelled.code}/cancel`);
      await stage.fallDue(due.code);
      for (const [order, status] of [
        [cancelled, 'cancelled'],
        [due, 'expired'],
      ] as const) {
        const refused = await patch(order.tickets[0].id, { attendee });
        expectProblem(refused, 409, 'ticket_not_changeable');
        expect(refused.body.ticket_status).toBe(status);
      }
    });

    it.each([
      [{}, ['/attendee']],
      [{ attendee: null }, ['/attendee']],
      [{ attendee: 'Ada' }, ['/attendee']],
      [{ attendee: [] }, ['/attendee']],
      [{ attendee: {} }, ['/attendee/name']],
      [{ attendee: { name: '' } }, ['/attendee/name']],
      [{ attendee: { name: 'Ada', email: 'ada' } }, ['/attendee/email']],
      [{ attendee: { name: 'Ada' }, status: 'paid' }, ['/status']],
    ])('refuses %j', async (body, pointers) => {
      const answer = await patch((await place()).tickets[0].id, body);
      expect(answer).toMatchObject({ status: 422, body: { code: 'validation_failed' } });
      expect((answer.body.errors as { pointer: string }[]).map(({ pointer }) => pointer)).toEqual(
        expect.arrayContaining(pointers),
      );
    });
  });

  describe('POST /tickets/{ticket_id}/void', () => {
    const voidIt = (id: number, by: Party = organizer, headers = {}) =>
      by.client.post(`/tickets/${id}/void`, undefined, headers);

    it('takes a paid ticket back; its place is for sale again', async () => {
      const order = await place(2);
      await pay(order);
      const before = await stage.counters(event);
      const { status, body } = await voidIt(order.tickets[0].id);
      expect(status).toBe(200);
      expect(body).toMatchObject({ id: order.tickets[0].id, status: 'void', order_code: order.code });
      const after = await stage.counters(event);
      expect(after.map(({ sold }) => sold)).toEqual(before.map(({ sold }) => sold - 1));
      const shown = (await buyer.client.get(`/orders/${order.code}`)).body;
      expect(shown.status).toBe('paid');
      expect((shown.tickets as { status: string }[]).map((each) => each.status)).toEqual(['void', 'paid']);
    });

    it('is for the organizer and an admin', async () => {
      const order = await place();
      await pay(order);
      const [one, two] = (order.tickets as TicketBody[]).map(({ id }) => id) as [number, number];
      expectProblem(await voidIt(one, buyer), 403, 'forbidden');
      expectProblem(await voidIt(one, stranger), 404, 'ticket_not_found');
      expectProblem(await voidIt(UNKNOWN), 404, 'ticket_not_found');
      const another = await partyOf(api);
      await stage.event(another);
      expectProblem(await voidIt(one, another), 404, 'ticket_not_found');
      for (const [id, by] of [
        [one, organizer],
        [two, admin()],
      ] as const)
        expect((await voidIt(id, by)).status).toBe(200);
    });

    it('refuses what is not paid, or void already', async () => {
      const order = await place();
      const [{ id }] = order.tickets;
      const reserved = await voidIt(id);
      expectProblem(reserved, 409, 'ticket_not_voidable');
      expect(reserved.body.ticket_status).toBe('reserved');
      await pay(order);
      await voidIt(id);
      const again = await voidIt(id);
      expectProblem(again, 409, 'ticket_not_voidable');
      expect(again.body.ticket_status).toBe('void');
    });

    it.each([
      ['paid', 200, { status: 'void', paid_at: expect.any(String) }],
      ['cancelled', 409, { code: 'ticket_not_voidable', ticket_status: 'cancelled' }],
    ])('answers of the order as it is once it has waited until it is %s', async (status, answer, body) => {
      const order = await place();
      const [{ id }] = order.tickets;
      const change = await database.begin(
        `WITH changed AS (
          UPDATE orders SET status = $2, paid_at = CASE $2 WHEN 'paid' THEN now() END
          WHERE id = (SELECT order_id FROM tickets WHERE tickets.id = $1)
          RETURNING event_id, places, CASE $2 WHEN 'paid' THEN places ELSE 0 END AS sold
        )
        UPDATE quotas SET held = held - places, sold = quotas.sold + changed.sold FROM changed
        WHERE quotas.event_id = changed.event_id`,
        [id, status],
      );
      const voiding = voidIt(id);
      await database.untilBlocked().finally(() => change.commit());
      expect(await voiding).toMatchObject({ status: answer, body });
    });

    it('tells who pays or cancels it that it is void', async () => {
      const order = await place(1);
      const [{ id }] = order.tickets;
      await pay(order);
      await voidIt(id);
      for (const way of ['pay', 'cancel']) {
        const refused = await buyer.client.post(`/tickets/${id}/${way}`);
        expectProblem(refused, 409, way === 'pay' ? 'ticket_not_payable' : 'ticket_not_cancellable');
        expect(refused.body.ticket_status).toBe('void');
      }
    });

    it('answers a key again, and gives one place back', async () => {
      const order = await place();
      await pay(order);
      const [{ id }] = order.tickets;
      const [before] = await stage.counters(event);
      const key = { 'Idempotency-Key': `void-${id}` };
      const [first, second] = [await voidIt(id, organizer, key), await voidIt(id, organizer, key)];
      expect(second).toMatchObject({ status: 200, body: first.body });
      expect(second.headers.get('idempotent-replayed')).toBe('true');
      expect((await stage.counters(event))[0].sold).toBe(before.sold - 1);
    });

    it('keeps no 403 under a key', async () => {
      const order = await place();
      await pay(order);
      const [{ id }] = order.tickets;
      const key = { 'Idempotency-Key': `forbidden-${id}` };
      expectProblem(await voidIt(id, buyer, key), 403, 'forbidden');
      const setOrganizer = (by: Party) =>
        api.sql('UPDATE events SET organizer_id = $2 WHERE id = $1', [event.id, by.id]);
      await setOrganizer(buyer);
      const answer = await voidIt(id, buyer, key);
      expect(answer).toMatchObject({ status: 200, body: { status: 'void' } });
      expect((await voidIt(id, buyer, key)).headers.get('idempotent-replayed')).toBe('true');
      await setOrganizer(organizer);
    });

    it('gives a place back once, however many ask at once and from two processes', async () => {
      const other = await startTestApi({ DATABASE_URL: database.url });
      try {
        const order = await place(10);
        await pay(order);
        const [before] = await stage.counters(event);
        const answers = await Promise.all(
          (order.tickets as TicketBody[]).flatMap(({ id }) =>
            [api, other, api].map(({ client }) => client.post(`/tickets/${id}/void`)),
          ),
        );
        expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
        expect((await stage.counters(event))[0].sold).toBe(before.sold - 10);
      } finally {
        await other.stop();
      }
    });

    describe('of an order with a code', () => {
      const sale = async (percent: number, uses: number) => {
        const own = await stage.event(organizer);
        const ticket_type_id = await stage.type(own, { price: 1_250 });
        await stage.code(own, 'gift', { percent, uses });
        const order = async () => {
          const wanted = { event_id: own.id, items: [{ ticket_type_id, quantity: 2 }], code: 'gift' };
          return await buyer.client.post('/orders', wanted);
        };
        const used = async () => (await stage.counters(own))[0].sold as number;
        return { order, used };
      };

      it('gives the use back with the last one, where the order cost nothing', async () => {
        const { order, used } = await sale(100, 1);
        const { body } = await order();
        await pay(body);
        const [one, two] = (body.tickets as TicketBody[]).map(({ id }) => id) as [number, number];
        await voidIt(one);
        expectProblem(await order(), 409, 'code_used_up');
        await voidIt(two);
        expect(await used()).toBe(0);
        expectProblem(await voidIt(two), 409, 'ticket_not_voidable');
        expect((await order()).status).toBe(201);
      });

      it('gives each use back once, however many ask at once', async () => {
        const { order, used } = await sale(100, 10);
        const orders = await Promise.all(Array.from({ length: 10 }, order));
        await Promise.all(orders.map(({ body }) => pay(body)));
        expect(await used()).toBe(10);
        const ids = orders.flatMap(({ body }) => (body.tickets as TicketBody[]).map(({ id }) => id));
        await Promise.all([...ids, ...ids].map((id) => voidIt(id)));
        expect(await used()).toBe(0);
      });

      it('leaves the use to the refund, where it cost something', async () => {
        const { order, used } = await sale(10, 1);
        const { body } = await order();
        await organizer.client.post(`/orders/${body.code}/payments`, { offline: true });
        for (const { id } of body.tickets as TicketBody[]) await voidIt(id);
        expect(await used()).toBe(1);
        expect((await organizer.client.post(`/orders/${body.code}/refunds`, {})).status).toBe(201);
        expect(await used()).toBe(0);
      });
    });

    it('would give it back again without its guard', async () => {
      const order = await place();
      await pay(order);
      const { text } = voidTicket({ isUnmet: 'true' });
      for (let i = 0; i < 2; i++) await api.sql(text, [order.tickets[0].id, null, null]);
      expect(await api.sql(INVENTORY_MISMATCHES)).not.toEqual([]);
      await api.sql('UPDATE quotas SET sold = sold + 1 WHERE event_id = $1', [event.id]);
    });
  });
});
