import type { Call } from '../clients/history';

/** An order as it is when nothing is under way; a single ticket is an order of one. */
export interface OrderRow {
  /** Of its first ticket. */
  id: number;
  user: number;
  event: number;
  /** That of its tickets. */
  status: string;
  /** How many tickets it has. */
  places: number;
}

/** What a client set out to do: one call, or several with the same key. */
interface Operation {
  calls: Call[];
  /** Those that were answered with success. */
  ok: Call[];
  mayHaveHappened: boolean;
}

/** Refusals that the customers have to reckon with. */
const FORESEEN: Record<Call['action'], string[]> = {
  reserve: [
    'event_sold_out',
    'ticket_type_sold_out',
    'code_used_up',
    'hold_limit_reached',
    'ticket_limit_reached',
    'event_not_published',
    'idempotency_in_progress',
  ],
  pay: ['ticket_not_payable', 'order_not_payable', 'idempotency_in_progress'],
  cancel: ['ticket_not_cancellable', 'order_not_cancellable', 'idempotency_in_progress'],
  get: [],
  list: [],
};

/**
 * Holds what clients were told against the orders in the database, once nothing is under way any more.
 *
 * @param cancelled events that were cancelled: of their orders those that were promised are there, and none is held or sold
 * @returns what must never be, in words; empty when all is well
 */
export function violationsIn(
  calls: readonly Call[],
  orders: readonly OrderRow[],
  cancelled: ReadonlySet<number> = new Set(),
): string[] {
  const operations = operationsOf(calls);
  const byId = new Map(orders.map((order) => [order.id, order]));
  const lasting = <Thing extends { event: number }>(things: readonly Thing[]) =>
    things.filter(({ event }) => !cancelled.has(event));
  const [lastingCalls, lastingOrders] = [lasting(calls), lasting(orders)];
  const lastingOperations = operationsOf(lastingCalls);
  return [
    ...calls.flatMap((call) => answerWrong(call) ?? []),
    ...reservationViolations(operations.filter(isFor('reserve')), byId),
    ...uncalledFor(lastingOperations.filter(isFor('reserve')), lastingOrders),
    ...resolutionViolations(lastingOperations, lastingOrders, 'pay', 'paid'),
    ...resolutionViolations(lastingOperations, lastingOrders, 'cancel', 'cancelled'),
    ...staleReads(lastingCalls),
    ...orders
      .filter(({ event, status }) => cancelled.has(event) && ['reserved', 'paid'].includes(status))
      .map(({ id, event, status }) => `${status} though event ${event} is cancelled: ticket ${id}`),
  ];
}

const isFor =
  (action: Call['action']) =>
  ({ calls }: Operation) =>
    calls[0]?.action === action;

function operationsOf(calls: readonly Call[]): Operation[] {
  const groups = groupBy(calls, (call) => call.key ?? call);
  return [...groups.values()].map((attempts) => {
    const ok = attempts.filter(({ outcome }) => outcome === 'ok');
    // With a key the last definite answer speaks for all attempts.
    const last = attempts.findLast(
      ({ outcome, code }) => outcome !== 'unknown' && code !== 'idempotency_in_progress',
    );
    return { calls: attempts, ok, mayHaveHappened: last === undefined || ok.length > 0 };
  });
}

/** An answer that no client should ever get, even while something is broken. */
function answerWrong(call: Call): string | undefined {
  const { action, outcome, status, code = '', hasRetryAfter } = call;
  // Pages of one network take turns: where a list takes long, the next one of the same customer waits no longer than that.
  if (status === 503 || (action === 'list' && code === 'rate_limited'))
    return hasRetryAfter ? undefined : `${status} without Retry-After: ${describeCall(call)}`;
  if (outcome === 'unknown')
    return status === undefined ? undefined : `answered ${status}: ${describeCall(call)}`;
  return outcome === 'ok' || FORESEEN[action].includes(code)
    ? undefined
    : `not foreseen: ${describeCall(call)}`;
}

function reservationViolations(operations: Operation[], byId: Map<number, OrderRow>): string[] {
  const wrongs: string[] = [];
  const owners = new Map<number, Operation>();
  for (const operation of operations) {
    for (const call of operation.ok) {
      const { ticket = 0, user, event } = call;
      const row = byId.get(ticket);
      if (!row) wrongs.push(`reserved and lost: ${describeCall(call)}`);
      else if (row.user !== user || row.event !== event)
        wrongs.push(`reserved for somebody else: ${describeCall(call)}`);
      else if (call.places !== undefined && row.places !== call.places)
        wrongs.push(`said to have ${call.places} tickets and has ${row.places}: ${describeCall(call)}`);
      const owner = owners.get(ticket) ?? operation;
      owners.set(ticket, owner);
      if (owner !== operation) wrongs.push(`one ticket for two reservations: ${describeCall(call)}`);
    }
    if (new Set(operation.ok.map(({ ticket }) => ticket)).size > 1)
      wrongs.push(`two tickets under one key: ${operation.ok.map(describeCall).join('; ')}`);
  }
  return wrongs;
}

/** Orders beyond those that were promised and those that may have been made by calls without an answer. */
function uncalledFor(operations: Operation[], orders: readonly OrderRow[]): string[] {
  const promised = new Set(operations.flatMap(({ ok }) => ok.map(({ ticket }) => ticket)));
  const allowed = new Map<string, number>();
  for (const { calls, ok, mayHaveHappened } of operations) {
    const [call] = calls;
    if (!call || ok.length > 0 || !mayHaveHappened) continue;
    const pair = `user ${call.user}, event ${call.event}`;
    allowed.set(pair, (allowed.get(pair) ?? 0) + 1);
  }
  const wrongs: string[] = [];
  for (const { id, user, event } of orders) {
    if (promised.has(id)) continue;
    const pair = `user ${user}, event ${event}`;
    const left = allowed.get(pair) ?? 0;
    if (left === 0) wrongs.push(`made and promised to nobody: ticket ${id}, ${pair}`);
    allowed.set(pair, left - 1);
  }
  return wrongs;
}

/** An acknowledged call is done once, a refused one is not, and each change was asked for. */
function resolutionViolations(
  all: Operation[],
  orders: readonly OrderRow[],
  action: 'pay' | 'cancel',
  status: 'paid' | 'cancelled',
): string[] {
  const wrongs: string[] = [];
  const byId = new Map(orders.map((order) => [order.id, order]));
  const byTicket = groupBy(all.filter(isFor(action)), ({ calls }) => calls[0]?.ticket ?? 0);
  for (const [ticket, operations] of byTicket) {
    const row = byId.get(ticket);
    const done = operations.filter(({ ok }) => ok.length > 0);
    const [first] = done;
    if (first && row?.status !== status)
      wrongs.push(`said to be ${status} and is ${row?.status}: ${first.ok.map(describeCall)[0]}`);
    if (done.length > 1) wrongs.push(`${status} twice: ticket ${ticket}`);
    if (row?.status === status && !operations.some(({ mayHaveHappened }) => mayHaveHappened))
      wrongs.push(`refused and ${status} all the same: ticket ${ticket}`);
  }
  for (const { id, status: is } of orders) {
    if (is === status && !byTicket.has(id)) wrongs.push(`${status} and never asked for: ticket ${id}`);
  }
  return wrongs;
}

/** A read that begins after a payment was acknowledged shows it, from either API. */
function staleReads(calls: readonly Call[]): string[] {
  const paidAt = new Map<number, number>();
  for (const { action, outcome, ticket = 0, to } of calls) {
    if (action === 'pay' && outcome === 'ok')
      paidAt.set(ticket, Math.min(to, paidAt.get(ticket) ?? Infinity));
  }
  return calls
    .filter(
      ({ action, outcome, told, ticket = 0, from }) =>
        action === 'get' && outcome === 'ok' && told !== 'paid' && from > (paidAt.get(ticket) ?? Infinity),
    )
    .map((call) => `seen as ${call.told} after it was paid: ${describeCall(call)}`);
}

const describeCall = ({ action, user, event, ticket, order, key, api, status, code, error }: Call) =>
  [
    `${action} by user ${user} for event ${event}`,
    order !== undefined && `order ${order.code}`,
    ticket !== undefined && `ticket ${ticket}`,
    key !== undefined && `key ${key}`,
    `API ${api + 1} ${status ?? error ?? ''} ${code ?? ''}`.trim(),
  ]
    .filter(Boolean)
    .join(', ');

function groupBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
