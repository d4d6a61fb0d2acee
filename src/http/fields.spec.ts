import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import fc from 'fast-check';
import {
  Decimal,
  Id,
  Instant,
  Int,
  MAX_ID,
  MultilineText,
  NotBefore,
  NumberFromQuery,
  OpaqueText,
  OptionalTogetherWith,
  Text,
} from './fields';

/** Whether a field declared by `decorators` takes the value. */
function takes(value: unknown, ...decorators: PropertyDecorator[]): boolean {
  class Subject {
    field: unknown;
  }
  decorators.forEach((decorator) => decorator(Subject.prototype, 'field'));
  return validateSync(plainToInstance(Subject, { field: value })).length === 0;
}

describe('Text', () => {
  it.each([
    ['the shortest', 'ab'],
    ['the longest', 'abcd'],
    ['the longest in code points, not in UTF-16 units', '🎻🎻🎻🎻'],
    ['right-to-left letters', 'ליל'],
    ['spaces around something', ' a '],
  ])('takes %s', (_what, value) => expect(takes(value, Text(2, 4))).toBe(true));

  it.each([
    ['what is too short', 'a'],
    ['what is too long', 'abcde'],
    ['what is too long in code points', '🎻🎻🎻🎻🎻'],
    ['what is blank', '   '],
    ['a NUL', 'a\0b'],
    ['the first half of a surrogate pair', 'a\ud83c'],
    ['the second half of a surrogate pair', 'a\udfbb'],
    ['a number', 123],
    ['a list of text', ['ab']],
    ['an object', { length: 3 }],
    ['null', null],
    ['nothing', undefined],
  ])('refuses %s', (_what, value) => expect(takes(value, Text(2, 4))).toBe(false));

  it('does not count the characters of what is surely too long', () => {
    const count = jest.spyOn(String.prototype, Symbol.iterator as never);
    expect(takes('a'.repeat(8), Text(2, 4))).toBe(false);
    expect(count).toHaveBeenCalledTimes(1);
    expect(takes('a'.repeat(9), Text(2, 4))).toBe(false);
    expect(count).toHaveBeenCalledTimes(1);
    count.mockRestore();
  });

  it('takes the empty and the blank where nothing is the least', () => {
    expect(takes('', Text(0, 4))).toBe(true);
    expect(takes('  ', Text(0, 4))).toBe(true);
  });

  it('is one line unless several are allowed, and is composed', () => {
    expect(takes('a\nb', Text(1, 4))).toBe(false);
    expect(takes('a\nb', MultilineText(1, 4))).toBe(true);
    expect(takes('\u200b', Text(1, 4))).toBe(false);
    expect(takes('e\u0301', Text(1, 1))).toBe(true);
  });

  it.each([
    ['one line', Text(1, 100_000)],
    ['several', MultilineText(1, 100_000)],
  ])('has at most 30 marks in a row, on %s', (_what, decorator) => {
    expect(takes(`a${'\u0301'.repeat(30)} `.repeat(20), decorator)).toBe(true);
    expect(takes(`a${'\u0301'.repeat(31)}`, decorator)).toBe(false);
    const normalize = jest.spyOn(String.prototype, 'normalize');
    expect(takes(`a${'\u0315'.repeat(31)}${'\u0300'.repeat(31)}`, decorator)).toBe(false);
    expect(normalize).not.toHaveBeenCalled();
    normalize.mockRestore();
  });

  it('is left as it is where it is opaque', () => {
    expect(takes('e\u0301', OpaqueText(1, 1))).toBe(false);
  });

  it('counts as PostgreSQL does, in code points', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }), (text) => {
        const isStorable = !text.includes('\0') && text.trim() !== '';
        expect(takes(text, OpaqueText(1, 6))).toBe(isStorable && [...text].length <= 6);
      }),
    );
  });
});

describe('numbers', () => {
  it.each([-3, 0, 5, -0, 2.0])('Int takes %p', (value) => expect(takes(value, Int(-3, 5))).toBe(true));

  it.each([-4, 6, 1.5, 1e400, NaN, '5', true, null, undefined, [5], 2 ** 53])('Int refuses %p', (value) =>
    expect(takes(value, Int(-3, 5))).toBe(false),
  );

  it.each([-90, 90, 0, 51.5072, 5e-324])('Decimal takes %p', (value) =>
    expect(takes(value, Decimal(-90, 90))).toBe(true),
  );

  it.each([-90.000001, 91, 1e400, NaN, '5', false, null, undefined, [5], {}])('Decimal refuses %p', (value) =>
    expect(takes(value, Decimal(-90, 90))).toBe(false),
  );

  it('Id is what a JSON number carries exactly', () => {
    expect([1, MAX_ID].map((value) => takes(value, Id()))).toEqual([true, true]);
    expect([0, -1, MAX_ID + 1, 1e30, 1.5].map((value) => takes(value, Id()))).toEqual(Array(5).fill(false));
  });
});

describe('Instant', () => {
  it.each([
    '2030-06-01T19:00:00Z',
    '2030-06-01T19:00:00.5Z',
    '2030-06-01T19:00:00.123456789Z',
    '2030-06-01t19:00:00z',
    '2030-06-01T19:00:00+05:45',
    '2030-06-01T19:00:00-23:59',
    '2030-06-01T19:00:00-00:00',
    '2028-02-29T00:00:00Z',
    '2000-02-29T00:00:00Z',
    '0001-01-01T00:00:00Z',
    '0000-12-31T23:00:00-01:00',
    '9999-12-31T23:59:59.999Z',
  ])('takes %s', (value) => expect(takes(value, Instant())).toBe(true));

  it.each([
    '2030-06-01T19:00:00',
    '2030-06-01T19:00Z',
    '2030-06-01 19:00:00Z',
    '2030-06-01',
    '2030-06-01T19:00:00+0545',
    '2030-06-01T19:00:00+24:00',
    '2030-06-01T19:00:00.Z',
    '2030-06-01T19:00:00.1234567890Z',
    '2030-06-01T24:00:00Z',
    '2030-06-01T19:60:00Z',
    '2016-12-31T23:59:60Z',
    '2030-02-30T00:00:00Z',
    '2029-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2030-04-31T00:00:00Z',
    '2030-00-10T00:00:00Z',
    '2030-13-10T00:00:00Z',
    '2030-06-00T00:00:00Z',
    '0000-06-01T00:00:00Z',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    '10000-01-01T00:00:00Z',
    '+002030-06-01T00:00:00Z',
    '-000001-06-01T00:00:00Z',
    ' 2030-06-01T19:00:00Z',
    '2030-06-01T19:00:00Z\n',
    '２０３０-06-01T19:00:00Z',
    '1906570800000',
    'tomorrow',
    '',
    1_906_570_800_000,
    null,
    undefined,
    ['2030-06-01T19:00:00Z'],
  ])('refuses %j', (value) => expect(takes(value, Instant())).toBe(false));

  it('takes every instant that JavaScript writes', () => {
    const [min, max] = [new Date('0001-01-01T00:00:00.000Z'), new Date('9999-12-31T23:59:59.999Z')];
    fc.assert(
      fc.property(fc.date({ min, max, noInvalidDate: true }), (date) =>
        expect(takes(date.toISOString(), Instant())).toBe(true),
      ),
    );
  });
});

describe('fields that depend on another', () => {
  class Subject {
    @Instant()
    start: unknown;

    @NotBefore('start')
    end: unknown;

    @OptionalTogetherWith('right')
    @Decimal(-1, 1)
    left?: unknown;

    @OptionalTogetherWith('left')
    @Decimal(-1, 1)
    right?: unknown;
  }
  const noon = '2030-06-01T12:00:00Z';
  const refused = (fields: object) =>
    validateSync(plainToInstance(Subject, { start: noon, end: noon, ...fields })).map(
      (error) => error.property,
    );

  it.each([noon, '2030-06-01T12:00:00.001Z', '2030-06-01T13:00:00+01:00', '2030-06-01T11:30:00-01:00'])(
    'NotBefore takes %s',
    (end) => expect(refused({ end })).toEqual([]),
  );

  it.each(['2030-06-01T11:59:59.999Z', '2030-06-01T12:30:00+01:00'])('NotBefore refuses %s', (end) =>
    expect(refused({ end })).toEqual(['end']),
  );

  it('NotBefore leaves what is no time to the check of that field', () => {
    expect(refused({ start: 'soon' })).toEqual(['start']);
  });

  it.each([{}, { left: null, right: null }, { left: null }, { left: 0, right: 0 }, { left: -1, right: 1 }])(
    'OptionalTogetherWith takes %j',
    (fields) => expect(refused(fields)).toEqual([]),
  );

  it.each([
    [{ left: 0 }, ['left']],
    [{ right: 0, left: null }, ['right']],
    [{ left: 2, right: 0 }, ['left']],
    [{ left: '0', right: 0 }, ['left']],
    [{ left: false, right: 0 }, ['left']],
  ])('OptionalTogetherWith refuses %j', (fields, properties) => expect(refused(fields)).toEqual(properties));
});

describe('NumberFromQuery', () => {
  class Subject {
    @NumberFromQuery()
    field: unknown;
  }
  const read = (field: unknown) => plainToInstance(Subject, { field }).field;

  it.each([
    ['0', 0],
    ['-5', -5],
    ['20.5', 20.5],
    ['9007199254740991', MAX_ID],
  ])('reads %j', (text, number) => expect(read(text)).toBe(number));

  it.each([
    '',
    ' 5',
    '5 ',
    '+5',
    '0x5',
    '1e3',
    '5.',
    '.5',
    'NaN',
    'Infinity',
    '٥',
    '1_000',
    '5\0',
    '9'.repeat(17),
  ])('leaves %j for the check to refuse', (text) => expect(read(text)).toBe(text));

  it('leaves a parameter that is there twice for the check to refuse', () => {
    expect(read(['5', '6'])).toEqual(['5', '6']);
  });
});
