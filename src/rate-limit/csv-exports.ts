import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, StreamableFile } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Settings } from '../config/settings';
import { csvOf, markCsv, type CsvColumn } from '../http/csv';
import { goneSignal } from '../http/under-way';
import { Problem } from '../problems/problem';
import { Turns } from './turns';

/** Some rows, and after which key more follow. */
export interface CsvPage<Row, Key> {
  rows: Row[];
  next?: Key;
}

/** A list of which every row is sent. */
export interface CsvList<Row, Key> {
  /** Of the file. */
  name: string;
  columns: CsvColumn<Row>[];
  hasMark: boolean;
  /** Reads the page behind a key; the first one has none before it. */
  read(after?: Key): Promise<CsvPage<Row, Key>>;
}

/** Pages of so many rows: some 100 kB, which is what a list takes in memory, however slowly it is read. */
export const CSV_PAGE = 500;

/** Lists may be busy for a moment. A download that has begun waits, for it can not be answered otherwise any more. */
const TRIES = 20;
const PAUSE_MS = 250;

/**
 * Sends whole lists, page by page, as fast as the client reads them. Between two pages nothing is held but the rows of one:
 * no connection, no transaction. After each page it rests for as long as that took, so that others are not kept waiting;
 * each caller has one list at a time.
 */
@Injectable()
export class CsvExports {
  constructor(
    private readonly turns: Turns,
    private readonly settings: Settings,
  ) {}

  /**
   * @returns what Nest sends
   * @throws {Problem} what reading the first page throws; `rate_limited` where the caller's list before takes too long
   */
  async send<Row, Key>(
    request: Request,
    response: Response,
    list: CsvList<Row, Key>,
  ): Promise<StreamableFile> {
    if (this.settings.RATE_LIMIT_PER_MINUTE > 0) await this.takeTurn(request, response);
    const first = await list.read();
    markCsv(response, list.name);
    return new StreamableFile(Readable.from(chunksOf(list, first), { highWaterMark: 1 })).setErrorHandler(
      (error) => {
        // An answer that just ended would look whole.
        response.locals.error = error;
        response.destroy();
      },
    );
  }

  private async takeTurn(request: Request, response: Response): Promise<void> {
    const end = await this.turns.take(`csv ${request.caller?.userId}`, goneSignal(response));
    // A client that has gone before, while access was checked or the turn began, tells nothing more.
    if (response.destroyed) end();
    else response.once('close', end);
  }
}

async function* chunksOf<Row, Key>(
  list: CsvList<Row, Key>,
  first: CsvPage<Row, Key>,
): AsyncGenerator<string> {
  let page = first;
  let began = performance.now();
  yield csvOf(page.rows, list.columns, true, list.hasMark);
  while (page.next !== undefined) {
    await sleep(Math.min(performance.now() - began, PAUSE_MS));
    began = performance.now();
    page = await readPatiently(list, page.next);
    const text = csvOf(page.rows, list.columns, false, false);
    if (text !== '') yield text;
  }
}

async function readPatiently<Row, Key>(list: CsvList<Row, Key>, after: Key): Promise<CsvPage<Row, Key>> {
  for (let tries = 1; ; tries++) {
    try {
      return await list.read(after);
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'overloaded' || tries === TRIES) throw error;
      await sleep(PAUSE_MS);
    }
  }
}
