import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Pool, PoolClient, QueryConfig, QueryResultRow } from 'pg';
import { statements } from '../telemetry/channels';
import { Settings } from '../config/settings';
import type { ListPool } from './list-pool';
import { renewPlans } from './fresh-plans';
import { Transactions } from './transactions';
import type { TixxetyDataSource } from './tixxety-data-source';
import { tryAgain } from './try-again';

/**
 * A statement as the repositories write it. One with a name is prepared once per connection and then only bound and
 * run; one without is planned for its values each time, as a list needs whose LIMIT decides the plan.
 */
export interface Statement {
  name?: string;
  text: string;
}

/** Runs hot statements straight on the driver's pool; TypeORM has no way to prepare one. */
@Injectable()
export class Statements {
  private readonly pool: Pool;
  private readonly lists: ListPool;
  private readonly canPrepare: boolean;

  constructor(
    @Inject(DataSource) dataSource: TixxetyDataSource,
    settings: Settings,
    private readonly transactions: Transactions,
  ) {
    this.pool = dataSource.pool;
    this.lists = dataSource.lists;
    // Behind a pooler the next transaction has another session, which knows nothing of what this one prepared.
    this.canPrepare = settings.DATABASE_POOLER === 'none';
  }

  /**
   * @returns the rows; a serialization failure or a deadlock is tried again before it is thrown, except in a
   *   transaction, which has to be tried again as a whole
   */
  async run<Row extends QueryResultRow>({ name, text }: Statement, values: unknown[]): Promise<Row[]> {
    const query = this.prepared(name, text, values);
    return await statements.tracePromise(() => this.tryToRun<Row>(query), { name, text });
  }

  /**
   * Runs a statement that may wait for a row that another keeps locked, and is no booking: a transaction by itself, which
   * waits for its turn, unless it is part of one.
   *
   * @throws {Problem} as `Transactions.run`
   */
  async change<Row extends QueryResultRow>(statement: Statement, values: unknown[]): Promise<Row[]> {
    return await this.transactions.run(() => this.run<Row>(statement, values));
  }

  /**
   * Reads a list, on the connections that lists have to themselves.
   *
   * @throws {Problem} `overloaded`
   */
  async list<Row extends QueryResultRow>({ name, text }: Statement, values: unknown[]): Promise<Row[]> {
    const query = this.prepared(name, text, values);
    return await statements.tracePromise(() => this.lists.query<Row>(query), { name, text });
  }

  private prepared(name: string | undefined, text: string, values: unknown[]): QueryConfig {
    return { name: this.canPrepare ? name : undefined, text, values };
  }

  private async tryToRun<Row extends QueryResultRow>(query: QueryConfig): Promise<Row[]> {
    const { runner } = this.transactions;
    if (runner) return (await ((await runner.connect()) as PoolClient).query<Row>(query)).rows;
    const client = await this.pool.connect();
    let failure: Error | undefined;
    try {
      await renewPlans(client);
      return await tryAgain(async () => (await client.query<Row>(query)).rows);
    } catch (error) {
      failure = error as Error;
      throw error;
    } finally {
      client.release(failure);
    }
  }
}
