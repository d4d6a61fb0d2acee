import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString } from 'class-validator';
import type { Request, Response } from 'express';
import { Int, NumberFromQuery } from './fields';
import { invalid } from '../problems/problem';

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
  @IsString({ message: 'must be a cursor from a Link header' })
  cursor?: string;
}

/** A page of a list, and the sort key of its last row when more follow. */
export interface Page<Row> {
  rows: Row[];
  next?: string;
}

/**
 * Cuts the row that was read beyond `limit` and remembers where the next page starts. Keyset paging: the cursor is
 * the sort key of the last row shown, so a page costs the same at any depth.
 */
export function pageOf<Row>(
  rows: Row[],
  limit: number,
  sortKey: (row: Row) => (string | number)[],
): Page<Row> {
  const last = rows[limit - 1];
  if (rows.length <= limit || last === undefined) return { rows };
  return { rows: rows.slice(0, limit), next: encode(sortKey(last)) };
}

/**
 * The sort key in a cursor, checked part by part.
 *
 * @throws {Problem} 422 when the cursor is not one of this list's
 */
export function sortKeyOf<Key extends unknown[]>(
  cursor: string,
  ...checks: { [I in keyof Key]: (part: unknown) => part is Key[I] }
): Key {
  const key = decode(cursor);
  if (!Array.isArray(key) || key.length !== checks.length || !checks.every((check, i) => check(key[i]))) {
    throw invalid('/cursor', 'must be a cursor from a Link header of this list');
  }
  return key as unknown as Key;
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

/** The `Link` header (RFC 8288) to the next page, relative to the address that was asked for. */
export function linkToNext(requestUrl: string, cursor: string): string {
  const [path, query] = requestUrl.split('?', 2);
  const parameters = new URLSearchParams(query);
  parameters.set('cursor', cursor);
  return `<${path}?${parameters.toString()}>; rel="next"`;
}

const encode = (key: unknown) => Buffer.from(JSON.stringify(key)).toString('base64url');

function decode(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return undefined;
  }
}
