import { isId, isNumber, isTime, linkToNext, pageOf, sortKeyOf } from './page';
import { Problem } from '../problems/problem';

const cursorOf = (key: unknown) => Buffer.from(JSON.stringify(key)).toString('base64url');

describe('pageOf', () => {
  const keyOf = (row: number) => [row];

  it('says what follows when a row beyond the limit was read', () => {
    const { rows, next } = pageOf([7, 8, 9], 2, keyOf);
    expect(rows).toEqual([7, 8]);
    expect(sortKeyOf<[number]>(next ?? '', isId)).toEqual([8]);
  });

  it.each([[[]], [[7]], [[7, 8]]])('says that nothing follows %j', (rows) => {
    expect(pageOf(rows, 2, keyOf)).toEqual({ rows });
  });
});

describe('sortKeyOf', () => {
  it.each([
    ['a time and an id', ['2030-06-01T19:00:00.123Z', 5], isTime],
    ['the first and the last time', ['0001-01-01T00:00:00.000Z', Number.MAX_SAFE_INTEGER], isTime],
    ['a number and an id', [1.0000000000000002e-7, 5], isNumber],
  ])('gives back %s exactly', (_what, key, check: (part: unknown) => boolean) => {
    const isFirst = (part: unknown): part is unknown => check(part);
    expect(sortKeyOf<[unknown, number]>(cursorOf(key), isFirst, isId)).toEqual(key);
  });

  it.each([
    ['nothing', ''],
    ['no JSON', Buffer.from('{').toString('base64url')],
    ['no base64', '%%%'],
    ['no array', cursorOf({ 0: '2030-06-01T19:00:00.000Z', 1: 5, length: 2 })],
    ['too few parts', cursorOf(['2030-06-01T19:00:00.000Z'])],
    ['too many parts', cursorOf(['2030-06-01T19:00:00.000Z', 5, 5])],
    ['parts in another order', cursorOf([5, '2030-06-01T19:00:00.000Z'])],
    ['the key of another list', cursorOf([0.25, 5])],
    ['a day that no calendar has', cursorOf(['2030-02-30T00:00:00.000Z', 5])],
    ['an hour that no day has', cursorOf(['2030-02-01T24:00:00.000Z', 5])],
    ['the year 0', cursorOf(['0000-01-01T00:00:00.000Z', 5])],
    ['a year of six digits', cursorOf(['+010000-01-01T00:00:00.000Z', 5])],
    ['a time that is none', cursorOf(['soon', 5])],
    ['an id of 0', cursorOf(['2030-06-01T19:00:00.000Z', 0])],
    ['a fraction for an id', cursorOf(['2030-06-01T19:00:00.000Z', 0.5])],
    ['an id out of range', cursorOf(['2030-06-01T19:00:00.000Z', 2 ** 53])],
    ['text for an id', cursorOf(['2030-06-01T19:00:00.000Z', '5'])],
  ])('refuses a cursor with %s', (_what, cursor) => {
    const read = () => sortKeyOf<[string, number]>(cursor, isTime, isId);
    expect(read).toThrow(Problem);
    expect(read).toThrow(expect.objectContaining({ code: 'validation_failed' }));
  });

  it.each([NaN, '0.1', null])('takes %p for no number', (part) => {
    expect(isNumber(part)).toBe(false);
  });
});

describe('linkToNext', () => {
  it.each([
    ['/events', '</events?cursor=abc>; rel="next"'],
    ['/events/?limit=2', '</events/?limit=2&cursor=abc>; rel="next"'],
    ['/events?cursor=old&limit=2', '</events?cursor=abc&limit=2>; rel="next"'],
    [
      '/events?starts_after=2030-01-01T00:00:00%2B02:00',
      '</events?starts_after=2030-01-01T00%3A00%3A00%2B02%3A00&cursor=abc>; rel="next"',
    ],
  ])('leads on from %s', (url, link) => expect(linkToNext(url, 'abc')).toBe(link));
});
