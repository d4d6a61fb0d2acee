import fc from 'fast-check';
import { hasMoreValues } from './request-body';

/** Elements of lists and fields of objects. */
function valuesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum: number, child) => sum + 1 + valuesIn(child), 0);
}

describe('hasMoreValues', () => {
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom('"', '\\', ',', '[', '{', 'a', '\n', 'é') }),
    fc.string({ unit: 'binary' }),
  );
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof({ maxDepth: 5 }, fc.constant(null), fc.double(), text, tie('list'), tie('record')),
    list: fc.array(tie('json')),
    record: fc.dictionary(text, tie('json')),
  }));

  it('never says so of JSON that has not, and always of JSON that has more than twice as many', () => {
    fc.assert(
      fc.property(json, fc.integer({ min: 1, max: 10 }), fc.nat(2), (value, most, indent) => {
        const bytes = Buffer.from(JSON.stringify(value, null, indent));
        const values = valuesIn(value);
        if (values <= most) expect(hasMoreValues(bytes, most)).toBe(false);
        if (values > 2 * most) expect(hasMoreValues(bytes, most)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(['[[[[', '{{{{', ',,,,', '"a",[1,2,[3'])('says so of %s, which is none', (text) =>
    expect(hasMoreValues(Buffer.from(text), 1)).toBe(true),
  );

  it.each(['"[[[[', '"\\"[[[[', '"\\\\\\"[[[['])('takes the rest of %s for text', (text) =>
    expect(hasMoreValues(Buffer.from(text), 1)).toBe(false),
  );
});
