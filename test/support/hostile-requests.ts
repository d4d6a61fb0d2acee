import fc from 'fast-check';
import { FORGERIES } from './forgeries';
import { HOSTILE, anyOf, spoiled, type Schema } from './hostile-bodies';
import { tokenOf } from './tokens';

export interface Operation {
  method: string;
  path: string;
  parameters?: { name: string; in: string; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema?: Schema; examples?: object }> }>;
}

/** A request as it goes over the wire. */
export interface Sent {
  /** Such as `GET /events/{event_id}`. */
  operation: string;
  /** Whether the path is one of the operation's, not one that was tampered with. */
  isFaithful: boolean;
  path: string;
  headers: Record<string, string>;
  body?: string;
}

/** The operations of an OpenAPI document by their names, such as `GET /events/{event_id}`. */
export function operationsOf(document: Schema): Record<string, Operation> {
  const paths = Object.entries(document.paths as Record<string, Record<string, object>>);
  return Object.fromEntries(
    paths.flatMap(([path, methods]) =>
      Object.entries(methods).map(([verb, operation]) => {
        const method = verb.toUpperCase();
        return [`${method} ${path}`, { ...operation, method, path } as Operation];
      }),
    ),
  );
}

const CONTENT_TYPES = [
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/json; charset=utf-16',
  'application/json; charset=nonsense',
  'application/vnd.api+json',
  'application',
  ';',
];

const anyHeaders = (hasBody: boolean): fc.Arbitrary<Record<string, string>> =>
  fc
    .record({
      type: fc.oneof(
        { weight: 12, arbitrary: fc.constant('application/json') },
        { weight: 1, arbitrary: fc.constantFrom(...CONTENT_TYPES) },
      ),
      token: fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: 1, max: 3 }).map((id) => tokenOf(id)) },
        { weight: 6, arbitrary: fc.constant(tokenOf(1, 'admin')) },
        {
          weight: 1,
          arbitrary: fc.constantFrom('', 'x', 'a.b.c', ...Object.values(FORGERIES).map((forge) => forge())),
        },
      ),
      extra: fc.oneof(
        { weight: 8, arbitrary: fc.constant({}) },
        {
          weight: 1,
          arbitrary: fc.constantFrom<Record<string, string>>(
            { 'X-Request-Id': 'a%0d%0aSet-Cookie: x=1' },
            { 'X-Request-Id': 'x'.repeat(4_000) },
            { 'X-Forwarded-For': "127.0.0.1, ' OR 1=1" },
            { 'X-HTTP-Method-Override': 'DELETE' },
            { Accept: 'text/html' },
            { 'Accept-Encoding': 'br;q=nonsense' },
            { 'Content-Encoding': 'gzip' },
            { 'Idempotency-Key': 'key' },
            { 'Idempotency-Key': 'x'.repeat(300) },
            { Authorization: 'Basic dXNlcjpwYXNz' },
          ),
        },
      ),
    })
    .map(({ type, token, extra }) => ({
      ...(hasBody && { 'Content-Type': type }),
      ...(token !== '' && { Authorization: `Bearer ${token}` }),
      ...extra,
    }));

/** Of no session. */
const SESSION_ID = '6f1c3a52-0d0e-4c5f-9a41-8c2f8f0f2f5e';

const SEGMENTS = [
  '..',
  '%2e%2e',
  '%00',
  '%2f',
  ';',
  '%',
  '%ff',
  '__proto__',
  '1%0d%0aX: 1',
  '-1',
  '1e3',
  '9'.repeat(40),
];

/** Of few orders event and type belong together, and few events are cancelled. */
const WEIGHTS: Record<string, number> = {
  'POST /events': 10,
  'POST /orders': 25,
  'POST /orders/{code}/payments': 10,
  'POST /orders/{code}/cancel': 8,
  'POST /orders/{code}/extend': 8,
  // Of the fields that these may have few go together.
  'POST /events/{event_id}/ticket-types': 20,
  'POST /events/{event_id}/codes': 25,
  'PATCH /ticket-types/{ticket_type_id}': 15,
  'PATCH /codes/{code_id}': 25,
  'PATCH /tickets/{ticket_id}': 10,
  'POST /tickets/{ticket_id}/pay': 12,
  'POST /tickets/{ticket_id}/void': 12,
  'POST /events/{event_id}/cancel': 10,
  'PATCH /events/{event_id}': 10,
  'GET /events/{event_id}/cancellation': 10,
};

/**
 * Requests for the operations: mostly as documented, otherwise spoiled in one of many ways.
 *
 * @param codes those of orders that there are
 */
export function anyRequest(document: Schema, codes: string[]): fc.Arbitrary<Sent> {
  const requests = Object.entries(operationsOf(document)).map(([name, operation]) => {
    const schema = Object.values(operation.requestBody?.content ?? {})[0]?.schema;
    const query = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query');
    const value = (parameter: Schema) =>
      fc.oneof({ weight: 25, arbitrary: anyOf(parameter, document) }, { weight: 1, arbitrary: HOSTILE });
    const request = fc
      .record({
        ids: fc.array(
          fc.oneof(
            { weight: 9, arbitrary: fc.integer({ min: 1, max: 8 }).map(String) },
            fc.constantFrom('0', 'x', '9007199254740991', '9007199254740992', 'me', SESSION_ID),
          ),
          { minLength: 2, maxLength: 2 },
        ),
        order: fc.nat(Math.max(0, codes.length - 1)),
        query: fc.record(
          // A random cursor is never valid: with one, the requests would hardly find anything.
          Object.fromEntries(
            query.map(({ name, schema }) => [
              name,
              name === 'cursor' ? rarely(value(schema)) : value(schema),
            ]),
          ),
          { requiredKeys: [] },
        ),
        unknown: fc.oneof(
          { weight: 12, arbitrary: fc.constant('') },
          fc.constantFrom('nonsense=1', 'limit=1&limit=2', 'a[b]=1', '%zz', '__proto__=1'),
        ),
        tricks: fc.oneof({ weight: 20, arbitrary: fc.constant('') }, fc.constantFrom(...SEGMENTS)),
        headers: anyHeaders(schema !== undefined),
        body: schema ? spoiled(anyOf(schema, document)) : fc.constant(undefined),
      })
      .map(({ ids, order, query, unknown, tricks, headers, body }): Sent => {
        let path = operation.path.replace(/\{(\w+)\}/g, (_, name) => {
          const id = ids.pop() ?? '1';
          // Where the id is none that could be one, nor is the code.
          return name === 'code' && Number(id) <= 8 ? (codes[order] ?? id) : kept(operation, id);
        });
        if (tricks !== '') path = `${path.replace(/\/$/, '')}/${tricks.replace(/[^\x21-\x7e]/g, '')}`;
        const pairs = Object.entries(query).flatMap(([name, given]) => {
          if (given === undefined) return [];
          const written =
            typeof given === 'string' ? given : ((JSON.stringify(given) as string | undefined) ?? '');
          return isWellFormed(written) ? [`${name}=${encodeURIComponent(written).slice(0, 4_000)}`] : [];
        });
        if (unknown !== '') pairs.push(unknown);
        if (pairs.length > 0) path += `?${pairs.join('&')}`;
        return { operation: name, isFaithful: tricks === '', path, headers, body };
      });
    return [name, request] as const;
  });
  return fc.oneof(...requests.map(([name, arbitrary]) => ({ arbitrary, weight: WEIGHTS[name] ?? 5 })));
}

const rarely = (arbitrary: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 15, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

/** The events that there are from the beginning stay, and what they sell: nothing could be sold any more. */
const kept = ({ method, path }: Operation, id: string) => {
  const [most, others] = ENDS[`${method} ${path}`] ?? [0, 0];
  return Number(id) <= most ? String(Number(id) + others) : id;
};

/** The ids up to which one is kept, and how far behind it stands the one that ends in its place. */
const ENDS: Record<string, [most: number, others: number]> = {
  'POST /events/{event_id}/cancel': [3, 3],
  'DELETE /events/{event_id}': [6, 6],
  'DELETE /ticket-types/{ticket_type_id}': [3, 3],
  'DELETE /codes/{code_id}': [3, 3],
};

/** Half a surrogate pair can't be written in a URL. */
const isWellFormed = (text: string) => !/\p{Surrogate}/u.test(text);
