import fc from 'fast-check';

export type Schema = Record<string, any>;

export const HOSTILE = fc.oneof(
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
export function anyOf(schema: Schema, document: Schema): fc.Arbitrary<unknown> {
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

const at = (document: Schema, reference: string) =>
  reference
    .slice(2)
    .split('/')
    .reduce<Schema>((node, key) => node[key] as Schema, document);

/** Leaves most bodies as they are, and spoils the others in one of many ways. */
export function spoiled(body: fc.Arbitrary<unknown>): fc.Arbitrary<string> {
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
