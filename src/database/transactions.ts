import { AsyncLocalStorage } from 'node:async_hooks';
import type { QueryRunner } from 'typeorm';
import { isRetryable } from './database-error';

interface Open {
  runner: QueryRunner;
  afterCommit: (() => void)[];
  isOver: boolean;
}

const TRIES = 4;

/**
 * One transaction around everything a call does, however deep: while it is open, `Statements` and TypeORM take its
 * connection without being told. Calls outside of one do not notice that there is such a thing.
 */
export class Transactions {
  private readonly storage = new AsyncLocalStorage<Open>();
  private running = 0;

  constructor(private readonly createQueryRunner: () => QueryRunner) {}

  /** The connection of the transaction this call is part of. */
  get runner(): QueryRunner | undefined {
    return this.open?.runner;
  }

  /** Calls `effect` once the transaction is committed, and not if it is rolled back; at once where there is none. */
  afterCommit(effect: () => void): void {
    if (this.open) this.open.afterCommit.push(effect);
    else effect();
  }

  /** Marks what `recover` goes back to. */
  async setSavepoint(): Promise<void> {
    await this.runner?.query('SAVEPOINT recovery');
  }

  /** Undoes what was done since the savepoint if a statement has failed since: PostgreSQL takes no other after it. */
  async recover(): Promise<void> {
    // Asked of PostgreSQL itself: the driver hears of the failed statement before it hears that the transaction failed.
    const hasFailed = await this.runner?.query('SELECT').then(
      () => false,
      () => true,
    );
    if (hasFailed) await this.runner?.query('ROLLBACK TO SAVEPOINT recovery');
  }

  /**
   * Runs `work` in a transaction; after a serialization failure or a deadlock, all of it again.
   *
   * @throws what `work` throws, after the rollback
   */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    this.running++;
    try {
      for (let tries = 1; ; tries++) {
        try {
          return await this.attempt(work);
        } catch (error) {
          if (!isRetryable(error) || tries === TRIES) throw error;
        }
      }
    } finally {
      // Left on, it would make every promise of the process dearer in Node 20.
      if (--this.running === 0) this.storage.disable();
    }
  }

  private async attempt<Result>(work: () => Promise<Result>): Promise<Result> {
    const runner = this.createQueryRunner();
    const open: Open = { runner, afterCommit: [], isOver: false };
    // TypeORM releases what it believes to have made for one statement.
    const release = runner.release.bind(runner);
    runner.release = () => Promise.resolve();
    let result: Result;
    try {
      await runner.startTransaction();
      result = await this.storage.run(open, work);
      await runner.commitTransaction();
    } catch (error) {
      // TypeORM lets go of a connection that breaks, and what is asked of it then is refused as a mistake of ours.
      if (runner.isReleased) throw new Error('Connection terminated within a transaction', { cause: error });
      await runner.rollbackTransaction().catch(() => undefined);
      throw error;
    } finally {
      open.isOver = true;
      await release();
    }
    for (const effect of open.afterCommit) effect();
    return result;
  }

  /** What still runs when the transaction is over is no part of it. */
  private get open(): Open | undefined {
    const open = this.storage.getStore();
    return open?.isOver === false ? open : undefined;
  }
}
