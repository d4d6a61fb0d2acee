import fc from 'fast-check';
import { FORGERIES } from './forgeries';
import { tokenOf } from './tokens';

export type Schema = Record<string, any>;

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

const HOSTILE = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -0,
    -1,
    1.5,
    1e308,
    -1e308,
    5e-324,
    2 ** 31,
    2 ** 53,
    2 ** 63,
    '',
    ' ',
    '5',
    '\0',
    'a\0b',
    '\ud800',
    '\u202e',
    "'; DROP TABLE users;--",
    '${7*7}',
    '%s%n',
    '../../etc/passwd',
    '<script>alert(1)</script>',
    '2030-02-30T00:00:00Z',
    '2030-01-01T00:00:00',
    '+275760-09-13T00:00:00.000Z',
    'x'.repeat(20_000),
    [],
    {},
    [[[[[[[[[[[[]]]]]]]]]]]],
    { $ne: 1 },
    { toString: 1, constructor: { prototype: {} } },
  ),
  fc.double(),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.anything({ maxDepth: 2, maxKeys: 3 }),
);

const EXTRA_FIELDS = [
  '__proto__',
  'constructor',
  'role',
  'status',
  'tickets_sold',
  'organizer_id',
  'password_hash',
  'id',
  'created_at',
  'a~/b',
  '',
];

/** An order needs a user, an event and a type that fit together: there are three of each from the beginning. */
const NAMES_OF_ROWS = new Set(['user_id', 'event_id', 'ticket_type_id']);
const A_ROW = fc.integer({ min: 1, max: 3 });

/** Mostly what the schema asks for. */
function anyOf(schema: Schema, document: Schema): fc.Arbitrary<unknown> {
  const resolved: Schema = schema.$ref
    ? at(document, schema.$ref as string)
    : (schema.allOf?.[0] ?? schema.anyOf?.[0] ?? schema);
  if (resolved !== schema) return anyOf(resolved, document);
  if (schema.enum) return fc.constantFrom(...(schema.enum as unknown[]));
  const type = ([] as string[]).concat((schema.type as string | string[] | undefined) ?? [])[0];
  switch (type) {
    case 'integer':
      return fc.integer({ min: schema.minimum ?? 0, max: Math.min(schema.maximum ?? 5, 5) });
    case 'number':
      return fc.double({ min: schema.minimum ?? -90, max: schema.maximum ?? 90, noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'string':
      if (schema.format === 'date-time')
        return fc
          .date({ min: new Date('2001-01-01'), max: new Date('2099-01-01'), noInvalidDate: true })
          .map((date) => date.toISOString());
      if (schema.pattern) {
        // Of what looks right, such as a currency, little is.
        const matching = fc.stringMatching(new RegExp(schema.pattern as string));
        return 'example' in schema ? fc.oneof(fc.constant(schema.example), matching) : matching;
      }
      if (schema.format === 'email') return fc.nat(2_000).map((n) => `guest${n}@example.com`);
      return fc.string({ minLength: schema.minLength ?? 0, maxLength: Math.min(schema.maxLength ?? 20, 20) });
    case 'array':
      return fc.array(anyOf(schema.items as Schema, document), {
        minLength: schema.minItems ?? 0,
        maxLength: 2,
      });
    case 'object':
      if (schema.additionalProperties) {
        const value = anyOf(schema.additionalProperties as Schema, document);
        return fc.dictionary(fc.string({ maxLength: 45 }), value, { maxKeys: 3, noNullPrototype: true });
      }
      return anyObjectOf(schema, document);
    default:
      return HOSTILE;
  }
}

/** Of all that may be left out at once, hardly ever does everything fit. */
const MOST_OPTIONAL = 3;

function anyObjectOf(schema: Schema, document: Schema): fc.Arbitrary<object> {
  const required = (schema.required ?? []) as string[];
  const properties = Object.entries(schema.properties as Record<string, Schema>)
    // Hashing passwords is slow by design, and what they may be is tried elsewhere.
    .filter(([name]) => name !== 'password' || required.includes(name))
    .map(([name, property]): [string, fc.Arbitrary<unknown>] => [
      name,
      NAMES_OF_ROWS.has(name) ? A_ROW : anyOf(property, document),
    ]);
  const [needed, optional] = [true, false].map((isNeeded) =>
    properties.filter(([name]) => required.includes(name) === isNeeded),
  ) as [typeof properties, typeof properties];
  return fc
    .subarray(optional, { maxLength: Math.min(MOST_OPTIONAL, optional.length) })
    .chain((some) => fc.record(Object.fromEntries([...needed, ...some])));
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

const at = (document: Schema, reference: string) =>
  reference
    .slice(2)
    .split('/')
    .reduce<Schema>((node, key) => node[key] as Schema, document);

/** Leaves most bodies as they are, and spoils the others in one of many ways. */
function spoiled(body: fc.Arbitrary<unknown>): fc.Arbitrary<string> {
  const json = (value: unknown) => (JSON.stringify(value) as string | undefined) ?? 'undefined';
  const asObject = (value: unknown) => (value !== null && typeof value === 'object' ? value : {});
  return fc.oneof(
    { weight: 6, arbitrary: body.map(json) },
    {
      weight: 4,
      arbitrary: fc.tuple(body, fc.nat(10), HOSTILE).map(([value, n, hostile]) => {
        const entries = Object.entries(asObject(value));
        const spoiltKey = entries[n % Math.max(1, entries.length)]?.[0] ?? 'x';
        return json({ ...asObject(value), [spoiltKey]: hostile });
      }),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(body, fc.constantFrom(...EXTRA_FIELDS), HOSTILE)
        .map(([value, key, extra]) =>
          json(asObject(value)).replace(/^\{/, `{${json(key)}:${json(extra) || 0},`),
        ),
    },
    // The same key twice.
    {
      weight: 1,
      arbitrary: fc.tuple(body, body).map(([a, b]) => json(a).slice(0, -1) + ',' + json(b).slice(1)),
    },
    // Cut short.
    { weight: 1, arbitrary: fc.tuple(body, fc.nat(60)).map(([value, n]) => json(value).slice(0, n)) },
    { weight: 1, arbitrary: HOSTILE.map(json) },
    { weight: 1, arbitrary: fc.nat(3_000).map((depth) => '['.repeat(depth) + ']'.repeat(depth)) },
    {
      weight: 1,
      arbitrary: fc.nat(3_000).map((depth) => '{"venue":'.repeat(depth) + '1' + '}'.repeat(depth)),
    },
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
