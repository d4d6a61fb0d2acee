import type { Call } from '../clients/history';
import { violationsIn, type OrderRow } from './history-check';

let now = 0;

const call = (fields: Partial<Call>): Call => {
  const from = ++now;
  return {
    action: 'reserve',
    user: 1,
    event: 1,
    api: 0,
    outcome: 'ok',
    status: 201,
    from,
    to: ++now,
    ...fields,
  };
};
const pay = (fields: Partial<Call> = {}) =>
  call({ action: 'pay', ticket: 7, status: 200, told: 'paid', ...fields });
const refusedPay = () =>
  pay({ outcome: 'refused', status: 409, code: 'ticket_not_payable', told: undefined });
const toldToWait = (fields: Partial<Call> = {}) =>
  call({ outcome: 'refused', status: 429, code: 'rate_limited', hasRetryAfter: true, ...fields });
const unanswered = { outcome: 'unknown', status: undefined, error: 'ECONNRESET', told: undefined } as const;
const ticket = (fields: Partial<OrderRow> = {}): OrderRow => ({
  id: 7,
  user: 1,
  event: 1,
  status: 'reserved',
  places: 1,
  ...fields,
});

const reserved = () => call({ ticket: 7, told: 'reserved' });

describe('what clients were told, held against the database', () => {
  it.each<[string, () => Call[], OrderRow[]]>([
    ['a reservation that was kept', () => [reserved()], [ticket()]],
    ['one without an answer that was made', () => [call(unanswered)], [ticket()]],
    ['one without an answer that was not made', () => [call(unanswered)], []],
    [
      'one that a key brought to an end',
      () => [call({ ...unanswered, key: 'k' }), call({ key: 'k', ticket: 7 }), call({ key: 'k', ticket: 7 })],
      [ticket()],
    ],
    ['a payment', () => [reserved(), pay()], [ticket({ status: 'paid' })]],
    ['a payment without an answer', () => [reserved(), pay(unanswered)], [ticket({ status: 'paid' })]],
    ['a payment too late', () => [reserved(), refusedPay()], [ticket({ status: 'expired' })]],
    [
      'a second payment that is refused after one without an answer',
      () => [reserved(), pay(unanswered), refusedPay()],
      [ticket({ status: 'paid' })],
    ],
    ['an order', () => [call({ ticket: 7, places: 3 })], [ticket({ places: 3 })]],
    [
      '503 with Retry-After',
      () => [call({ outcome: 'unknown', status: 503, code: 'service_unavailable', hasRetryAfter: true })],
      [],
    ],
    ['a list that waited too long for its turn', () => [toldToWait({ action: 'list' })], []],
  ])('is content with %s', (_what, calls, tickets) => {
    expect(violationsIn(calls(), tickets)).toEqual([]);
  });

  it.each<[string, () => Call[], OrderRow[], RegExp]>([
    ['a reservation that is lost', () => [reserved()], [], /^reserved and lost: .*ticket 7/],
    ['one for somebody else', () => [reserved()], [ticket({ user: 2 })], /^reserved for somebody else/],
    [
      'a ticket promised twice',
      () => [reserved(), reserved()],
      [ticket()],
      /^one ticket for two reservations/,
    ],
    [
      'two tickets under one key',
      () => [call({ key: 'k', ticket: 7 }), call({ key: 'k', ticket: 8 })],
      [ticket(), ticket({ id: 8 })],
      /^two tickets under one key/,
    ],
    [
      'a doubled ticket',
      () => [reserved()],
      [ticket(), ticket({ id: 8 })],
      /^made and promised to nobody: ticket 8/,
    ],
    [
      'one more than may have been made without an answer',
      () => [call(unanswered)],
      [ticket(), ticket({ id: 8 })],
      /^made and promised to nobody: ticket 8/,
    ],
    [
      'what was made in spite of a refusal',
      () => [call({ outcome: 'refused', status: 409, code: 'event_sold_out' })],
      [ticket()],
      /^made and promised to nobody/,
    ],
    [
      'a payment that is lost',
      () => [reserved(), pay()],
      [ticket({ status: 'expired' })],
      /^said to be paid and is expired/,
    ],
    [
      'a ticket paid twice',
      () => [reserved(), pay(), pay()],
      [ticket({ status: 'paid' })],
      /^paid twice: ticket 7/,
    ],
    [
      'a payment that was refused and made',
      () => [reserved(), refusedPay()],
      [ticket({ status: 'paid' })],
      /^refused and paid all the same/,
    ],
    [
      'a payment nobody asked for',
      () => [reserved()],
      [ticket({ status: 'paid' })],
      /^paid and never asked for/,
    ],
    [
      'a look that does not see a payment',
      () => [reserved(), pay(), call({ action: 'get', ticket: 7, status: 200, told: 'reserved' })],
      [ticket({ status: 'paid' })],
      /^seen as reserved after it was paid/,
    ],
    [
      'an order that lacks a ticket',
      () => [call({ ticket: 7, places: 3 })],
      [ticket({ places: 2 })],
      /^said to have 3 tickets and has 2/,
    ],
    ['500', () => [call({ outcome: 'unknown', status: 500, code: 'internal_error' })], [], /^answered 500/],
    [
      '503 without Retry-After',
      () => [call({ outcome: 'unknown', status: 503 })],
      [],
      /^503 without Retry-After/,
    ],
    [
      'a list that is told to come again, and not when',
      () => [toldToWait({ action: 'list', hasRetryAfter: false })],
      [],
      /^429 without Retry-After/,
    ],
    ['a limit that nobody reached', () => [toldToWait()], [], /^not foreseen: reserve .*429 rate_limited/],
    [
      'a refusal out of place',
      () => [call({ outcome: 'refused', status: 401, code: 'unauthenticated' })],
      [],
      /^not foreseen: .*401 unauthenticated/,
    ],
  ])('finds %s', (_what, calls, tickets, wrong) => {
    expect(violationsIn(calls(), tickets)).toEqual([expect.stringMatching(wrong)]);
  });

  it('knows events that were cancelled, of whose orders none may be left', () => {
    const calls = [reserved(), pay(), call({ action: 'get', ticket: 7, status: 200, told: 'cancelled' })];
    const gone = [ticket({ status: 'cancelled' }), ticket({ id: 8, user: 2, status: 'expired' })];
    expect(violationsIn(calls, gone, new Set([1]))).toEqual([]);
    expect(violationsIn(calls, [ticket({ status: 'paid' })], new Set([1]))).toEqual([
      expect.stringMatching(/^paid though event 1 is cancelled/),
    ]);
  });
});
