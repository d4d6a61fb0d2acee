import 'reflect-metadata';
import { Type } from 'class-transformer';
import { IsObject, IsOptional, ValidateNested } from 'class-validator';
import fc from 'fast-check';
import { Decimal, Int, Text } from './fields';
import { toAnswer, type Problem } from '../problems/problem';
import { ValidationPipe } from './validation.pipe';

class InnerDto {
  @IsOptional()
  @Decimal(-90, 90)
  latitude?: number | null;
}

class OuterDto {
  @Text(1, 200)
  title: string;

  @Int(0, 10)
  size: number;

  @IsObject({ message: 'must be an object' })
  @ValidateNested()
  @Type(() => InnerDto)
  inner: InnerDto;
}

/** A body that counts how often it is looked at. */
function counted<Value>(value: Value, looks: { count: number }): Value {
  if (value === null || typeof value !== 'object') return value;
  return new Proxy(value, {
    get(target, key, receiver) {
      looks.count++;
      return counted(Reflect.get(target, key, receiver) as object, looks);
    },
  });
}

/** What refusing a body costs: how often it is looked at, and how long the answer is; undefined where it validates. */
function costOf(body: unknown): { looks: number; bytes: number } | undefined {
  const looks = { count: 0 };
  try {
    new ValidationPipe().transform(counted(body, looks), { type: 'body', metatype: OuterDto });
    return undefined;
  } catch (error) {
    const { body: answer } = toAnswer(error as Problem, 'a-request');
    return { looks: looks.count, bytes: Buffer.byteLength(answer) };
  }
}

// Twenty pointers of 200 characters, of which JSON writes some, such as NUL, with six bytes.
const MOST_BYTES = 32_000;
const MOST_LOOKS = 20_000;

describe('refusing a body', () => {
  const key = fc.oneof(
    fc.constantFrom('title', 'size', 'inner', 'latitude', '__proto__', 'constructor', '0'),
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.string({ unit: 'binary', minLength: 1_000, maxLength: 20_000 }),
  );
  const many = fc.integer({ min: 1, max: 3_000 });
  const { body } = fc.letrec((tie) => ({
    body: fc.oneof({ maxDepth: 12 }, fc.jsonValue(), tie('array'), tie('record'), tie('nest')),
    // One value many times over is as long a body as many values, and takes fast-check no time to make.
    array: fc.tuple(tie('body'), many).map(([item, n]) => Array.from({ length: n }, () => item)),
    record: fc
      .tuple(key, tie('body'), many)
      .map(([name, item, n]) =>
        Object.fromEntries(Array.from({ length: n }, (_, i) => [i === 0 ? name : `${name}${i}`, item])),
      ),
    nest: fc
      .tuple(key, tie('body'), fc.integer({ min: 1, max: 50 }))
      .map(([name, item, n]) => Array.from({ length: n }).reduce((inner) => ({ [name]: inner }), item)),
  }));
  const dto = fc.record({ title: body, size: body, inner: body }, { requiredKeys: [] });

  it('costs no more than a bound, whatever is in it', () =>
    fc.assert(
      fc.property(fc.oneof(body, dto), (value) => {
        const cost = costOf(value);
        if (cost === undefined) return;
        expect(cost.bytes).toBeLessThan(MOST_BYTES);
        expect(cost.looks).toBeLessThan(MOST_LOOKS);
      }),
      { numRuns: 300 },
    ));

  it.each([
    [
      'a long key over thousands of values',
      { ['k'.repeat(16_000)]: Array.from({ length: 5_300 }, () => ({})) },
    ],
    [
      'a list of DTOs where one is wanted',
      { inner: Array.from({ length: 40_000 }, () => ({ latitude: 'x' })) },
    ],
    ['a list of numbers where a DTO is wanted', { inner: Array.from({ length: 60_000 }, () => 0) }],
    ['thousands of values where text is wanted', { title: Array.from({ length: 40_000 }, () => ({})) }],
    [
      'thousands of unknown fields',
      Object.fromEntries(Array.from({ length: 12_000 }, (_, i) => [`field${i}`, 0])),
    ],
    [
      'long unknown fields, as many as may be',
      Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`${i}${'\0'.repeat(10_000)}`, 0])),
    ],
  ])('costs little: %s', (_what, value) => {
    const cost = costOf(value);
    expect(cost?.bytes).toBeLessThan(MOST_BYTES);
    expect(cost?.looks).toBeLessThan(MOST_LOOKS);
  });

  it('names at most twenty parts, and the beginning of a pointer that is too long', () => {
    const unknown = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`${i}${'🎻'.repeat(300)}`, 0]));
    try {
      new ValidationPipe().transform(unknown, { type: 'body', metatype: OuterDto });
    } catch (error) {
      const { errors } = JSON.parse(toAnswer(error as Problem, 'a-request').body) as {
        errors: { pointer: string }[];
      };
      expect(errors).toHaveLength(20);
      for (const { pointer } of errors) {
        expect(pointer).toMatch(/^\/\d+🎻+.?…$/u);
        expect(pointer.length).toBeLessThanOrEqual(200);
      }
    }
    expect.hasAssertions();
  });
});
