import type { OrderItem } from '../../src/inventory/held-order';
import { InventoryService } from '../../src/inventory/inventory.service';
import type { Problem } from '../../src/problems/problem';
import { codeKey } from '../../src/text/code-key';
import { startTestApi, type TestApi } from '../support/api';
import { expectProblem } from '../support/problems';
import { createCallers, salesBy, type Callers } from '../support/sales';
import { INVENTORY_MISMATCHES } from '../support/seats';

const PAST = '2001-01-01T00:00:00.000Z';
const FUTURE = '2098-01-01T00:00:00.000Z';

describe('codes of orders', () => {
  let api: TestApi;
  let callers: Callers;
  const { newEvent, newType, postCode, changeCode, removeCode, codesOf } = salesBy(
    () => api,
    () => callers,
  );

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0', MAX_EVENTS_PER_USER_HOUR: '0' });
    callers = await createCallers(api);
  });
  afterEach(async () => expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]));
  afterAll(() => api.stop());

  const newCode = async (event: { id: number }, fields: object) => (await postCode(event, fields)).body;

  /** Places an order that sends the code, and says what it costs or why there is none. */
  async function order(event: { id: number }, code: string, items?: OrderItem[]): Promise<number | string> {
    const [only] = (await api.client.get(`/events/${event.id}/ticket-types`)).body;
    try {
      const { total } = await api.app.get(InventoryService).holdPlaces({
        userId: callers.buyer.id,
        eventId: event.id,
        items: items ?? [{ ticketTypeId: only.id, quantity: 1 }],
        code: codeKey(code),
      });
      return total;
    } catch (error) {
      return (error as Problem).code;
    }
  }

  it('are made of all there is to say, and listed with their uses', async () => {
    const event = await newEvent({}, 'EUR');
    const type = await newType(event, { price: 1_000 });
    const body = {
      code: 'Sommer-24 ☀',
      percent_off: 25,
      amount_off: null,
      ticket_type_ids: [type.id],
      max_uses: 3,
      valid_from: PAST,
      valid_until: FUTURE,
    };
    const { status, headers, body: code } = await postCode(event, body);
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/codes/${code.id}`);
    expect(code).toEqual({
      ...body,
      id: expect.any(Number),
      event_id: event.id,
      held: 0,
      sold: 0,
      created_at: expect.stringMatching(/Z$/),
    });
    expect(await order(event, 'SOMMER-24 ☀', [{ ticketTypeId: type.id, quantity: 2 }])).toBe(1_500);
    expect(await codesOf(event)).toEqual([{ ...code, held: 1 }]);
  });

  it('let a name be used again once its code is deleted', async () => {
    const event = await newEvent();
    const code = await newCode(event, {});
    expect(await removeCode(code)).toMatchObject({ status: 204, body: '' });
    expect(await codesOf(event)).toEqual([]);
    expectProblem(await removeCode(code), 404, 'code_not_found');
    expectProblem(await changeCode(code, {}), 404, 'code_not_found');
    expect(await order(event, 'SUMMER')).toBe('code_not_valid');
    expect((await postCode(event, {})).status).toBe(201);
    expect(await order(event, 'summer')).toBe(0);
  });

  it('change in what is named, and leave the rest', async () => {
    const event = await newEvent({}, 'EUR');
    const type = await newType(event);
    const code = await newCode(event, { percent_off: 5, valid_until: FUTURE });
    expect(await changeCode(code, {})).toMatchObject({ status: 200, body: code });
    const changes = {
      code: 'WINTER',
      percent_off: null,
      amount_off: 300,
      ticket_type_ids: [type.id],
      max_uses: 7,
      valid_from: PAST,
      valid_until: null,
    };
    expect(await changeCode(code, changes)).toMatchObject({ status: 200, body: { ...code, ...changes } });
    expect(await codesOf(event)).toEqual([{ ...code, ...changes }]);
    expect(await order(event, 'summer')).toBe('code_not_valid');
    expect((await changeCode(code, { code: 'winter' })).body.code).toBe('winter');
    const nothing = { amount_off: null, ticket_type_ids: null, max_uses: null, valid_from: null };
    expect((await changeCode(code, nothing)).body).toMatchObject(nothing);
  });

  it('have no more uses than they allow, and allow no fewer than they have', async () => {
    const event = await newEvent();
    const code = await newCode(event, { max_uses: 3 });
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => order(event, 'summer')));
    expect(outcomes.sort()).toEqual([0, 0, 0, ...Array<string>(5).fill('code_used_up')]);
    const refused = await changeCode(code, { max_uses: 2 });
    expectProblem(refused, 409, 'capacity_in_use');
    expect(refused.body).toMatchObject({ held: 3, sold: 0 });
    expect((await changeCode(code, { max_uses: 4 })).body).toMatchObject({ max_uses: 4, held: 3 });
    expect(await order(event, 'summer')).toBe(0);
    expect(await order(event, 'summer')).toBe('code_used_up');
    expect((await changeCode(code, { max_uses: null })).body).toMatchObject({ max_uses: null, held: 4 });
    expect(await order(event, 'summer')).toBe(0);
  });

  it('open the hidden types that they name, and no others', async () => {
    const event = await newEvent();
    const [named, other] = [
      await newType(event, { is_hidden: true }),
      await newType(event, { is_hidden: true }),
    ];
    await newCode(event, { code: 'FRIENDS', ticket_type_ids: [named.id] });
    await newCode(event, { code: 'ALL' });
    const one = (type: { id: number }) => [{ ticketTypeId: type.id, quantity: 1 }];
    expect(await order(event, 'friends', one(named))).toBe(0);
    expect(await order(event, 'friends', one(other))).toBe('ticket_type_not_found');
    expect(await order(event, 'all', one(named))).toBe('ticket_type_not_found');
  });

  it.each([{ valid_from: FUTURE }, { valid_until: PAST }])('are not valid outside of %j', async (window) => {
    const event = await newEvent();
    await newCode(event, window);
    expect(await order(event, 'summer')).toBe('code_not_valid');
  });
});
