import { startTestApi, type TestApi } from '../support/api';
import type { Client } from '../support/client';
import { expectProblem } from '../support/problems';
import { createCallers, salesBy, type Callers } from '../support/sales';
import { INVENTORY_MISMATCHES } from '../support/seats';
import { titled } from '../support/tables';

const PAST = '2001-01-01T00:00:00.000Z';
const FUTURE = '2098-01-01T00:00:00.000Z';

describe('codes', () => {
  let api: TestApi;
  let callers: Callers;
  let organizer: Client;
  let stranger: Client;
  const { newEvent, setStatus, newType, removeType, postCode, changeCode, removeCode, codesOf } = salesBy(
    () => api,
    () => callers,
  );

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0', MAX_EVENTS_PER_USER_HOUR: '0' });
    callers = await createCallers(api);
    ({ organizer, stranger } = callers);
  });
  afterEach(async () => expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]));
  afterAll(() => api.stop());

  const newCode = async (event: { id: number }, fields: object) => (await postCode(event, fields)).body;

  it('need nothing but a name', async () => {
    const code = await newCode(await newEvent(), {});
    expect(code).toMatchObject({
      code: 'SUMMER',
      percent_off: null,
      amount_off: null,
      ticket_type_ids: null,
      max_uses: null,
      valid_from: null,
      valid_until: null,
    });
  });

  it('are listed page by page, newest first', async () => {
    const event = await newEvent();
    for (const code of ['a', 'b', 'c']) await newCode(event, { code });
    const pages = await organizer.pages<{ code: string }>(`/events/${event.id}/codes?limit=2`);
    expect(pages.map((page) => page.map(({ code }) => code))).toEqual([['c', 'b'], ['a']]);
  });

  it.each(
    titled([
      ['code', undefined],
      ['code', null],
      ['code', ''],
      ['code', ' '],
      ['code', 'a\nb'],
      ['code', 'c'.repeat(51)],
      // Each of them stands for 18 others.
      ['code', '\ufdfa'.repeat(6)],
      ['code', 5],
      ['percent_off', 0],
      ['percent_off', 101],
      ['percent_off', 12.5],
      ['percent_off', '50'],
      ['amount_off', 0],
      ['amount_off', -5],
      ['amount_off', 2 ** 53],
      ['ticket_type_ids', []],
      ['ticket_type_ids', 5],
      ['ticket_type_ids', [0]],
      ['ticket_type_ids', ['1']],
      ['ticket_type_ids', [1, 1]],
      ['ticket_type_ids', [[1]]],
      ['ticket_type_ids', Array.from({ length: 101 }, (_, i) => i + 1)],
      ['max_uses', 0],
      ['max_uses', 2 ** 31],
      ['valid_from', 'now'],
      ['valid_until', '2030-01-01'],
      ['held', 0],
      ['quota_id', 1],
    ]),
  )('refuse %s %s', async (field, _title, value) => {
    const event = await newEvent({}, 'EUR');
    const refused = { pointers: [`/${field}`] };
    expectProblem(await postCode(event, { [field]: value }), 422, 'validation_failed', refused);
  });

  it.each<[object, string]>([
    [{ percent_off: 5, amount_off: 5 }, '/amount_off'],
    [{ valid_from: FUTURE, valid_until: PAST }, '/valid_until'],
    [{ valid_from: FUTURE, valid_until: FUTURE }, '/valid_until'],
    [{ ticket_type_ids: [999_999] }, '/ticket_type_ids/0'],
  ])('refuse %j', async (fields, pointer) => {
    const event = await newEvent({}, 'EUR');
    expectProblem(await postCode(event, fields), 422, 'validation_failed', { pointers: [pointer] });
    expect(await codesOf(event)).toEqual([]);
  });

  it('refuse an amount where the event has no currency', async () => {
    const answer = await postCode(await newEvent(), { amount_off: 5 });
    expectProblem(answer, 422, 'validation_failed', { pointers: ['/amount_off'] });
  });

  it('refuse ticket types of another event, and those that were deleted', async () => {
    const [event, elsewhere] = [await newEvent(), await newEvent()];
    const [own, foreign, gone] = [await newType(event), await newType(elsewhere), await newType(event)];
    await removeType(gone);
    for (const { id } of [foreign, gone]) {
      const answer = await postCode(event, { ticket_type_ids: [own.id, id] });
      expectProblem(answer, 422, 'validation_failed', { pointers: ['/ticket_type_ids/1'] });
    }
  });

  it('keep ticket types that they named before these were deleted', async () => {
    const event = await newEvent();
    const [type, gone, other] = [await newType(event), await newType(event), await newType(event)];
    const code = await newCode(event, { ticket_type_ids: [type.id, gone.id] });
    for (const deleted of [gone, other]) await removeType(deleted);
    const again = await changeCode(code, { ticket_type_ids: [gone.id, type.id] });
    expect(again).toMatchObject({ status: 200, body: { ticket_type_ids: [gone.id, type.id] } });
    const answer = await changeCode(code, { ticket_type_ids: [gone.id, other.id] });
    expectProblem(answer, 422, 'validation_failed', { pointers: ['/ticket_type_ids/1'] });
  });

  it.each([
    ['in letters of another case', 'Straße', 'STRASSE'],
    ['in letters of another width', 'ＦＩＶＥ', 'five'],
    ['with spaces around it', ' FIVE\u00a0', 'FIVE'],
    ['composed otherwise', 'CAFE\u0301', 'café'],
  ])('take no second code %s, at once or one after the other', async (_what, code, same) => {
    const event = await newEvent();
    const answers = await Promise.all([postCode(event, { code }), postCode(event, { code: same })]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    expectProblem(await postCode(event, { code: same }), 409, 'code_taken');
    expect((await postCode(await newEvent(), { code: same })).status).toBe(201);
    const other = await newCode(event, { code: 'OTHER' });
    expectProblem(await changeCode(other, { code }), 409, 'code_taken');
    const [mine] = (await codesOf(event)).slice(-1);
    expect((await changeCode(mine as { id: number }, { code: same })).body.code).toBe(same.normalize('NFC'));
  });

  it.each<[object, string]>([
    [{ amount_off: 5 }, '/amount_off'],
    [{ percent_off: 6, amount_off: 5 }, '/amount_off'],
    [{ valid_from: FUTURE }, '/valid_from'],
    [{ code: null }, '/code'],
    [{ max_uses: 0 }, '/max_uses'],
    [{ ticket_type_ids: [999_999] }, '/ticket_type_ids/0'],
    [{ id: 5 }, '/id'],
  ])('refuse the change %j', async (changes, pointer) => {
    const code = await newCode(await newEvent({}, 'EUR'), {
      percent_off: 5,
      valid_until: '2030-01-01T00:00:00Z',
    });
    expectProblem(await changeCode(code, changes), 422, 'validation_failed', { pointers: [pointer] });
  });

  it('refuse a percentage where there is an amount', async () => {
    const code = await newCode(await newEvent({}, 'EUR'), { amount_off: 5 });
    expectProblem(await changeCode(code, { percent_off: 5 }), 422, 'validation_failed', {
      pointers: ['/percent_off'],
    });
    expect((await changeCode(code, { percent_off: 5, amount_off: null })).status).toBe(200);
  });

  it('are the organizer’s alone', async () => {
    const event = await newEvent();
    const code = await newCode(event, {});
    expectProblem(await stranger.get(`/events/${event.id}/codes`), 403, 'forbidden');
    expectProblem(await postCode(event, { code: 'MINE' }, stranger), 403, 'forbidden');
    // A stranger sees no code, and can't tell whether there is one.
    expectProblem(await changeCode(code, { max_uses: 1 }, stranger), 404, 'code_not_found');
    expectProblem(await removeCode(code, stranger), 404, 'code_not_found');
    await setStatus(event, 'draft');
    expectProblem(await stranger.get(`/events/${event.id}/codes`), 404, 'event_not_found');
    expectProblem(await postCode(event, { code: 'MINE' }, stranger), 404, 'event_not_found');
    expect(await codesOf(event, api.client)).toEqual([code]);
    expect((await removeCode(code, api.client)).status).toBe(204);
  });

  it('are a thousand of an event at most, however many come at once', async () => {
    const event = await newEvent();
    await api.sql(
      `WITH quota AS (
        INSERT INTO quotas (event_id, kind, capacity) SELECT $1, 'code', 1 FROM generate_series(1, 998) RETURNING id
      )
      INSERT INTO codes (event_id, quota_id, code, code_key) SELECT $1, id, 'c' || id, 'c' || id FROM quota`,
      [event.id],
    );
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, i) => postCode(event, { code: `x${i}` })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 409, 409, 409]);
    expectProblem(await postCode(event, {}), 409, 'too_many_in_event');
    const pages = await organizer.pages(`/events/${event.id}/codes?limit=200`);
    expect(pages.flat()).toHaveLength(1_000);
    await removeCode(pages[0]?.[0] as { id: number });
    expect((await postCode(event, {})).status).toBe(201);
  });

  it('are made once for a key', async () => {
    const event = await newEvent();
    const send = () => postCode(event, {}, organizer, { 'Idempotency-Key': 'once' });
    const [first, again] = [await send(), await send()];
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(await codesOf(event)).toHaveLength(1);
  });
});
