import { ApiExtension, ApiPropertyOptional } from '@nestjs/swagger';
import { stringify } from 'csv-stringify/sync';
import { IsIn } from 'class-validator';
import type { Request, Response } from 'express';
import { MayBeLeftOut } from './fields';
import { PageQuery } from './page';

/** What a list takes that can be had as CSV, too. */
export class CsvPageQuery extends PageQuery {
  /** `true`: CSV begins with a byte order mark, which some spreadsheets want. */
  @MayBeLeftOut()
  @IsIn(['true', 'false'], { message: 'must be true or false' })
  @ApiPropertyOptional({ enum: ['true', 'false'], default: 'false' })
  bom?: 'true' | 'false';
}

/** A column: its name, and what it has of a row. */
export type CsvColumn<Row> = [name: string, value: (row: Row) => string | number | boolean | Date | null];

export const CSV = 'text/csv';

/** Whether the client would rather have CSV than JSON. */
export function wantsCsv(request: Request, response: Response): boolean {
  response.vary('Accept');
  return request.accepts(['application/json', CSV]) === CSV;
}

/** Marks an answer as CSV to be kept in a file. */
export function markCsv(response: Response, name: string): void {
  response.setHeader('Content-Type', `${CSV}; charset=utf-8; header=present`);
  response.setHeader('Content-Disposition', `attachment; filename="${name}.csv"`);
}

/**
 * Rows as CSV (RFC 4180). A spreadsheet would take what begins with `=`, `+`, `-` or `@` for a formula: it is put behind
 * an apostrophe.
 *
 * @param isFirst whether the names of the columns come before them
 */
export function csvOf<Row>(
  rows: Row[],
  columns: CsvColumn<Row>[],
  isFirst: boolean,
  hasMark: boolean,
): string {
  return stringify(
    rows.map((row) => columns.map(([, value]) => value(row))),
    {
      header: isFirst,
      bom: isFirst && hasMark,
      columns: columns.map(([name]) => name),
      record_delimiter: 'windows',
      escape_formulas: true,
      // Spreadsheets of some countries split at semicolons; the library knows of its own line breaks alone.
      quoted_match: /[\r\n;\t]/,
      cast: { date: (date) => date.toISOString(), boolean: String },
    },
  );
}

/** How the OpenAPI document learns that a list can be had as CSV, too; it does not stay in there. */
export const CSV_EXTENSION = 'x-csv';

/** Documents that a list can be had as CSV, too: every row of it. */
export const ApiCsv = () => ApiExtension(CSV_EXTENSION, true);
