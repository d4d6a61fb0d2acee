import { createHmac, randomUUID } from 'node:crypto';
import { OrderCodes } from '../../../src/inventory/order-codes';
import { holderAt, idAt, type Ids, type Job, type MixedCase, type Requests } from './job';
import { adminToken, userToken } from './tokens';

/** A request ready to be sent. */
export interface Request {
  method: 'GET' | 'POST';
  path: string;
  body?: string;
  /** An access token of the user who sends it; of an event, empty. */
  token: string;
  /** Of an event of the payment sandbox. */
  signature?: string;
  /** The address that it claims to be forwarded for: a crowd does not come from one. */
  from?: string;
  /** An `Idempotency-Key`. */
  key?: string;
  /** The user and event of a reservation, for lanes that speak SQL. */
  reservation?: [userId: number, eventId: number];
  expected: readonly string[];
  /** What its sender asks for next, made of the answer to it: the two count as one. */
  next?: (answer: string) => Request;
}

const CREATED = ['201'];
const OK = ['200'];
const MOST_TICKETS = 8;

/** Makes one request after the other; undefined when there are no more. */
export function requestsOf(requests: Requests): () => Request | undefined {
  switch (requests.kind) {
    case 'reserve':
      return reservations(requests);
    case 'pay':
      return payments(requests);
    case 'get': {
      const { paths } = requests;
      let sent = 0;
      return () => ({
        method: 'GET',
        path: paths[sent++ % paths.length] ?? '/',
        token: adminToken(),
        expected: OK,
      });
    }
    case 'post': {
      const { path, bodies, tokens } = requests;
      let sent = 0;
      return () => {
        const [body, token = ''] = [bodies[sent], tokens[sent++ % tokens.length]];
        return body === undefined ? undefined : { method: 'POST', path, body, token, expected: OK };
      };
    }
    case 'order':
      return orders(requests);
    case 'pay-order':
      return orderPayments(requests);
    case 'purchase':
      return purchases(requests);
    case 'event':
      return sandboxEvents(requests);
    case 'mixed':
      return mixed(requests);
  }
}

function reservations({ users, events, most = Infinity, isKeyed }: Extract<Requests, { kind: 'reserve' }>) {
  let sent = 0;
  return (): Request | undefined => {
    if (sent++ >= most) return undefined;
    const user = idAt(users, Math.random());
    const event = idAt(events, Math.random());
    const body = `{"user_id":${user},"event_id":${event}}`;
    const token = userToken(user);
    const key = isKeyed ? randomUUID() : undefined;
    const reservation: [number, number] = [user, event];
    const from = addressOf(user);
    return { method: 'POST', path: '/tickets/', body, token, from, key, reservation, expected: CREATED };
  };
}

/** Each user has one. */
const addressOf = (user: number) => `10.${(user >> 16) & 255}.${(user >> 8) & 255}.${user & 255}`;

function payments({ tickets: { first, count }, users }: Extract<Requests, { kind: 'pay' }>) {
  let sent = 0;
  return (): Request | undefined => {
    if (sent >= count) return undefined;
    const user = holderAt(users, sent);
    const path = `/tickets/${first + sent++}/pay`;
    return { method: 'POST', path, token: userToken(user), from: addressOf(user), expected: OK };
  };
}

interface Ordering {
  users: Ids;
  events: Ids;
  types: Ids;
  typesPerEvent: number;
  isKeyed?: boolean;
}

function orders({ users, events, types, typesPerEvent, isKeyed }: Ordering) {
  return (): Request => {
    const user = idAt(users, Math.random());
    const place = Math.floor(Math.random() * events.count);
    const tickets = 1 + Math.floor(Math.random() * MOST_TICKETS);
    const kinds = Math.min(1 + Math.floor(Math.random() * typesPerEvent), tickets);
    const begin = Math.floor(Math.random() * typesPerEvent);
    const items = Array.from({ length: kinds }, (_, i) => {
      const type = types.first + place * typesPerEvent + ((begin + i) % typesPerEvent);
      const quantity = Math.floor(tickets / kinds) + (i < tickets % kinds ? 1 : 0);
      return `{"ticket_type_id":${type},"quantity":${quantity}}`;
    });
    const body = `{"event_id":${events.first + place},"items":[${items.join(',')}]}`;
    const key = isKeyed ? randomUUID() : undefined;
    const [token, from] = [userToken(user), addressOf(user)];
    return { method: 'POST', path: '/orders', body, token, from, key, expected: CREATED };
  };
}

function purchases({ method, ...ordering }: Extract<Requests, { kind: 'purchase' }>) {
  const order = orders(ordering);
  const body = paymentBy(method);
  return (): Request => {
    const placing = order();
    const next = (answer: string): Request => {
      const code = /"code":"(\w+)"/.exec(answer)?.[1] ?? '';
      return { ...placing, path: `/orders/${code}/payments`, body };
    };
    return { ...placing, next };
  };
}

const paymentBy = (method: string | undefined) =>
  method === undefined ? '{}' : `{"payment_method":"${method}"}`;

function orderPayments({
  orders: { first, count },
  users,
  codeKey,
  method,
  expected = CREATED,
}: Extract<Requests, { kind: 'pay-order' }>) {
  const body = paymentBy(method);
  const codes = new OrderCodes(undefined as never);
  codes.useKey(Buffer.from(codeKey, 'hex'));
  let sent = 0;
  return (): Request | undefined => {
    if (sent >= count) return undefined;
    const user = users.first + (sent % users.count);
    const path = `/orders/${codes.codeOf(first + sent++)}/payments`;
    return { method: 'POST', path, body, token: userToken(user), from: addressOf(user), expected };
  };
}

function sandboxEvents({ payments, secret, type }: Extract<Requests, { kind: 'event' }>) {
  let sent = 0;
  return (): Request => {
    const payment = payments[sent++ % payments.length] as string;
    const data = { payment, metadata: {} };
    const body = JSON.stringify({ id: `evt_${randomUUID()}`, type, data });
    const time = Math.floor(Date.now() / 1_000);
    const signature = `t=${time},v1=${createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')}`;
    return { method: 'POST', path: '/payments/events/sandbox', body, token: '', signature, expected: OK };
  };
}

function mixed({ cases, most = Infinity }: Extract<Requests, { kind: 'mixed' }>) {
  let sent = 0;
  const urn = cases.flatMap((mixedCase) => Array<MixedCase>(mixedCase.weight).fill(mixedCase));
  const id = (given: Ids | number | string) =>
    typeof given === 'object' ? idAt(given, Math.random()) : given;
  return (): Request | undefined => {
    const drawn = urn[Math.floor(Math.random() * urn.length)];
    if (!drawn || sent++ >= most) return undefined;
    const user = id(drawn.body.user_id);
    const body = JSON.stringify({ user_id: user, event_id: id(drawn.body.event_id) });
    const token = typeof user === 'number' ? userToken(user) : adminToken();
    const from = addressOf(Number(user));
    return { method: 'POST', path: '/tickets/', body, token, from, expected: drawn.expected };
  };
}

/** One connection: sends a request and tells what the answer said. Never rejects. */
export interface Lane {
  send(request: Request): Promise<string>;
  /** The last answer, as it came; empty where there is none to read. */
  readonly answer: string;
  close(): Promise<void>;
}

export type OpenLane = (target: Job['target']) => Promise<Lane>;
