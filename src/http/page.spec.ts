import { cursorAfter, isId, isNumber, isTime, linkToNext, PageQuery, pageOf, sortKeyOf } from './page';
import { Problem } from '../problems/problem';

class FilteredQuery extends PageQuery {
  q?: string;
}
const queryOf = (fields: Partial<FilteredQuery>) => Object.assign(new FilteredQuery(), fields);
const base64url = (text: string) => Buffer.from(text).toString('base64url');
const cursorOf = (key: unknown[]) => cursorAfter(key, queryOf({}));

describe('pageOf', () => {
  const keyOf = (row: number) => [row];

  it('says what follows when a row beyond the limit was read', () => {
    const query = queryOf({ limit: 2 });
    const { rows, next } = pageOf([7, 8, 9], query, keyOf);
    expect(rows).toEqual([7, 8]);
    expect(sortKeyOf<[number]>(queryOf({ cursor: next }), isId)).toEqual([8]);
  });

  it('says what follows where a page ended early', () => {
    const query = queryOf({ limit: 5 });
    const { rows, next } = pageOf([7, 8], query, keyOf, 6);
    expect(rows).toEqual([7, 8]);
    expect(sortKeyOf<[number]>(queryOf({ cursor: next }), isId)).toEqual([8]);
  });

  it.each([[[]], [[7]], [[7, 8]]])('says that nothing follows %j', (rows) => {
    expect(pageOf(rows, queryOf({ limit: 2 }), keyOf)).toEqual({ rows });
  });
});

describe('sortKeyOf', () => {
  it.each([
    ['a time and an id', ['2030-06-01T19:00:00.123Z', 5], isTime],
    ['the first and the last time', ['0001-01-01T00:00:00.000Z', Number.MAX_SAFE_INTEGER], isTime],
    ['a number and an id', [1.0000000000000002e-7, 5], isNumber],
  ])('gives back %s exactly', (_what, key, check: (part: unknown) => boolean) => {
    const isFirst = (part: unknown): part is unknown => check(part);
    expect(sortKeyOf<[unknown, number]>(queryOf({ cursor: cursorOf(key) }), isFirst, isId)).toEqual(key);
  });

  it.each([
    ['nothing', ''],
    ['no JSON', base64url('{')],
    ['no base64', '%%%'],
    ['no array', base64url('{"0":"2030-06-01T19:00:00.000Z","1":5,"length":2}')],
    ['a key alone', base64url('["2030-06-01T19:00:00.000Z",5]')],
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
    const read = () => sortKeyOf<[string, number]>(queryOf({ cursor }), isTime, isId);
    expect(read).toThrow(Problem);
    expect(read).toThrow(expect.objectContaining({ code: 'validation_failed' }));
  });

  it('refuses the cursor of other filters, and of another list', () => {
    const read = (query: PageQuery) => sortKeyOf<[number]>(query, isId);
    const cursor = cursorAfter([5], queryOf({ q: 'music', limit: 10 }));
    expect(read(queryOf({ q: 'music', limit: 20, cursor }))).toEqual([5]);
    for (const other of [queryOf({ q: 'theatre' }), queryOf({}), new PageQuery()]) {
      expect(() => read(Object.assign(other, { cursor }))).toThrow(Problem);
    }
    expect(() => read(queryOf({ cursor: cursorAfter([5], new PageQuery()) }))).toThrow(Problem);
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
    ['/events?q=quiz?&available=true', '</events?q=quiz%3F&available=true&cursor=abc>; rel="next"'],
    ['/events?q=a%23b#c', '</events?q=a%23b&cursor=abc>; rel="next"'],
    ['//elsewhere.example/events?q=a', '</elsewhere.example/events?q=a&cursor=abc>; rel="next"'],
    ['http://api.example/events?q=a', '</events?q=a&cursor=abc>; rel="next"'],
  ])('leads on from %s', (url, link) => expect(linkToNext(url, 'abc')).toBe(link));
});
