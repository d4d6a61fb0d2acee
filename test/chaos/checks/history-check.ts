import type { Call } from '../clients/history';

/** A row of `tickets` as it is when nothing is under way. */
export interface TicketRow {
  id: number;
  user: number;
  event: number;
  status: string;
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
  reserve: ['event_sold_out', 'hold_limit_reached', 'idempotency_in_progress'],
  pay: ['ticket_not_payable', 'idempotency_in_progress'],
  cancel: ['ticket_not_cancellable', 'idempotency_in_progress'],
  get: [],
  list: [],
};

/**
 * Holds what clients were told against the tickets in the database, once nothing is under way any more.
 *
 * @returns what must never be, in words; empty when all is well
 */
export function violationsIn(calls: readonly Call[], tickets: readonly TicketRow[]): string[] {
  const operations = operationsOf(calls);
  const byId = new Map(tickets.map((ticket) => [ticket.id, ticket]));
  return [
    ...calls.flatMap((call) => answerWrong(call) ?? []),
    ...reservationViolations(operations.filter(isFor('reserve')), byId),
    ...uncalledFor(operations.filter(isFor('reserve')), tickets),
    ...resolutionViolations(operations, byId, 'pay', 'paid'),
    ...resolutionViolations(operations, byId, 'cancel', 'cancelled'),
    ...staleReads(calls),
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
  if (status === 503) return hasRetryAfter ? undefined : `503 without Retry-After: ${describeCall(call)}`;
  if (outcome === 'unknown')
    return status === undefined ? undefined : `answered ${status}: ${describeCall(call)}`;
  return outcome === 'ok' || FORESEEN[action].includes(code)
    ? undefined
    : `not foreseen: ${describeCall(call)}`;
}

function reservationViolations(operations: Operation[], byId: Map<number, TicketRow>): string[] {
  const wrongs: string[] = [];
  const owners = new Map<number, Operation>();
  for (const operation of operations) {
    for (const call of operation.ok) {
      const { ticket = 0, user, event } = call;
      const row = byId.get(ticket);
      if (!row) wrongs.push(`reserved and lost: ${describeCall(call)}`);
      else if (row.user !== user || row.event !== event)
        wrongs.push(`reserved for somebody else: ${describeCall(call)}`);
      const owner = owners.get(ticket) ?? operation;
      owners.set(ticket, owner);
      if (owner !== operation) wrongs.push(`one ticket for two reservations: ${describeCall(call)}`);
    }
    if (new Set(operation.ok.map(({ ticket }) => ticket)).size > 1)
      wrongs.push(`two tickets under one key: ${operation.ok.map(describeCall).join('; ')}`);
  }
  return wrongs;
}

/** Tickets beyond those that were promised and those that may have been made by calls without an answer. */
function uncalledFor(operations: Operation[], tickets: readonly TicketRow[]): string[] {
  const promised = new Set(operations.flatMap(({ ok }) => ok.map(({ ticket }) => ticket)));
  const allowed = new Map<string, number>();
  for (const { calls, ok, mayHaveHappened } of operations) {
    const [call] = calls;
    if (!call || ok.length > 0 || !mayHaveHappened) continue;
    const pair = `user ${call.user}, event ${call.event}`;
    allowed.set(pair, (allowed.get(pair) ?? 0) + 1);
  }
  const wrongs: string[] = [];
  for (const { id, user, event } of tickets) {
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
  byId: Map<number, TicketRow>,
  action: 'pay' | 'cancel',
  status: 'paid' | 'cancelled',
): string[] {
  const wrongs: string[] = [];
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
  for (const { id, status: is } of byId.values()) {
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

const describeCall = ({ action, user, event, ticket, key, api, status, code, error }: Call) =>
  [
    `${action} by user ${user} for event ${event}`,
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
