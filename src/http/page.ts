import { hash } from 'node:crypto';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString } from 'class-validator';
import type { Request, Response } from 'express';
import { Int, NumberFromQuery } from './fields';
import { invalid } from '../problems/problem';

/** Text that a list made; whether it is one of this list is seen when it is read. */
export const IsCursor = () => IsString({ message: 'must be a cursor from a Link header' });

/** What every list takes. */
export class PageQuery {
  @ApiPropertyOptional({ default: 50, description: 'How many to return at most.' })
  @NumberFromQuery()
  @IsOptional()
  @Int(1, 200)
  limit: number = 50;

  @ApiPropertyOptional({
    description: 'Where the page starts: opaque, taken from the `Link` header of the page before.',
  })
  @IsOptional()
  @IsCursor()
  cursor?: string;
}

/**
 * What is asked of one list among those that take the same parameters: its cursors lead nowhere in the others, nor in the
 * same list of another event, order or user.
 *
 * @param of the event, order or user
 */
export const ofList = <Query extends PageQuery>(query: Query, name: string, of: number): Query => ({
  ...query,
  list: [name, of],
});

/** A page of a list, and the sort key of its last row when more follow. */
export interface Page<Row> {
  rows: Row[];
  next?: string;
}

/**
 * Cuts the row that was read beyond `limit` and remembers where the next page starts. Keyset paging: the cursor is
 * the sort key of the last row shown, so a page costs the same at any depth.
 *
 * @param found how many rows there were to be read; more than `rows` where a page ends early
 */
export function pageOf<Row>(
  rows: Row[],
  query: PageQuery,
  sortKey: (row: Row) => (string | number)[],
  found = rows.length,
): Page<Row> {
  const shown = rows.slice(0, query.limit);
  const last = shown.at(-1);
  if (found <= shown.length || last === undefined) return { rows };
  return { rows: shown, next: cursorAfter(sortKey(last), query) };
}

/** Checks a sort key part by part. */
type Checks<Key> = { [I in keyof Key]: (part: unknown) => part is Key[I] };

/**
 * The sort key in the cursor of a query; undefined where there is no cursor.
 *
 * @throws {Problem} 422 when the cursor is not one of this list with these filters
 */
export function sortKeyOf<Key extends unknown[]>(query: PageQuery, ...checks: Checks<Key>): Key | undefined {
  return sortKeyOfAny<[Key]>(query, checks);
}

/** The same for a list that may be sorted by one key or another. */
export function sortKeyOfAny<Keys extends unknown[][]>(
  query: PageQuery,
  ...kinds: { [I in keyof Keys]: Checks<Keys[I]> }
): Keys[number] | undefined {
  if (query.cursor === undefined) return undefined;
  const [fingerprint, ...key] = decode(query.cursor);
  const isKey = kinds.some((checks: ((part: unknown) => boolean)[]) => {
    return key.length === checks.length && checks.every((check, i) => check(key[i]));
  });
  if (!isKey || fingerprint !== fingerprintOf(query)) {
    throw invalid('/cursor', 'must be a cursor from a Link header of this list, with the same filters');
  }
  return key;
}

/** The cursor that leads behind the row with this sort key. */
export const cursorAfter = (sortKey: unknown[], query: PageQuery) =>
  Buffer.from(JSON.stringify([fingerprintOf(query), ...sortKey])).toString('base64url');

/** Stands for the list and its filters: with others a cursor would start somewhere in the middle of another list. */
function fingerprintOf(query: PageQuery): string {
  const filters = Object.entries(query)
    .filter(([name, value]) => name !== 'limit' && name !== 'cursor' && value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([query.constructor.name, filters]);
  return hash('sha256', text, 'base64url').slice(0, 8);
}

export const isId = (part: unknown): part is number => Number.isSafeInteger(part) && Number(part) > 0;
/** A time as `toISOString` writes it, in the years that PostgreSQL reads the same way; JavaScript takes 30 February too. */
export const isTime = (part: unknown): part is string =>
  typeof part === 'string' && /^(?!0000)\d{4}-/.test(part) && new Date(part).toJSON() === part;
export const isNumber = (part: unknown): part is number => Number.isFinite(part);

/** Answers a page: its rows as the body, the way to the next page in the `Link` header. */
export function sendPage<Row, Dto>(
  page: Page<Row>,
  toDto: (row: Row) => Dto,
  request: Request,
  response: Response,
): Dto[] {
  if (page.next !== undefined) response.setHeader('Link', linkToNext(request.originalUrl, page.next));
  return page.rows.map(toDto);
}

/**
 * The `Link` header (RFC 8288) to the next page: path and query alone, for behind a proxy nothing here knows by which
 * name the API was called. A client resolves it against the address that it asked for.
 */
export function linkToNext(requestUrl: string, cursor: string): string {
  // A request may name its target with scheme and host; a path of two slashes at first would be taken for a host.
  const { pathname, searchParams } = new URL(requestUrl.replace(/^\/+/, 'http://host/'));
  searchParams.set('cursor', cursor);
  return `<${pathname.replace(/^\/+/, '/')}?${searchParams.toString()}>; rel="next"`;
}

/** @returns nothing for what is no list */
function decode(cursor: string): unknown[] {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(key) ? key : [];
  } catch {
    return [];
  }
}
