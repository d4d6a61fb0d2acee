import { AsyncLocalStorage } from 'node:async_hooks';
import { Semaphore, withTimeout } from 'async-mutex';
import type { QueryRunner } from 'typeorm';
import { unanswered } from '../http/request-deadline';
import { tryAgain } from './try-again';

/**
 * Each has a connection to itself until it is over, so they get no more than this of the ten there are: the rest is for
 * booking, which has no transactions of this kind. They wait for each other in the order in which they came.
 */
const AT_ONCE = 4;
const MOST_WAITING = 200;
const TURN_MS = 2_000;

/** How long one waits for a locked row, and how long where others wait for its turn. */
const LOCK_MS = { alone: 1_000, crowded: 250 };

interface OpenTransaction {
  runner: QueryRunner;
  effects: (() => void)[];
  savepoints: number;
  isOver: boolean;
}

/**
 * One transaction around everything a call does, however deep: while it is open, `Statements` and TypeORM take its
 * connection without being told. Calls outside of one do not notice that there is such a thing.
 *
 * Nothing outside PostgreSQL is called while a transaction is open. What must happen after the change is a row of the
 * outbox; what may be lost is an effect of `afterCommit`.
 */
export class Transactions {
  private readonly storage = new AsyncLocalStorage<OpenTransaction>();
  private readonly turns = withTimeout(new Semaphore(AT_ONCE), TURN_MS, unanswered());
  /** Those that wait for their turn, too. */
  private running = 0;

  constructor(private readonly createQueryRunner: () => QueryRunner) {}

  /** The connection of the transaction this call is part of. */
  get runner(): QueryRunner | undefined {
    return this.open?.runner;
  }

  /**
   * Runs `work` in the open transaction, or in one of its own: that one is tried again as a whole after a serialization
   * failure or a deadlock.
   *
   * @throws what `work` throws, after the rollback
   * @throws {Problem} `service_unavailable` where too many wait for their turn, or for too long
   */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.open) return await work();
    if (this.running >= AT_ONCE + MOST_WAITING) throw unanswered();
    this.running++;
    try {
      return await this.turns.runExclusive(() => tryAgain(() => this.attempt(work)));
    } finally {
      // Left on, it would make every promise of the process dearer in Node 20.
      if (--this.running === 0) this.storage.disable();
    }
  }

  /**
   * Calls `effect` once the transaction is committed, and not if it is rolled back; at once where there is none. Only
   * for hints that may be lost: a process that is killed after the commit does not call it.
   */
  afterCommit(effect: () => void): void {
    if (this.open) this.open.effects.push(effect);
    else effect();
  }

  /**
   * Runs `work` in the open transaction, or in one of its own, so that nothing of it remains when it throws, and the
   * transaction can go on. PostgreSQL would otherwise take no other statement after one that failed.
   *
   * @throws what `work` throws
   */
  async savepoint<Result>(work: () => Promise<Result>): Promise<Result> {
    const { open } = this;
    if (!open) return await this.run(work);
    const name = `savepoint_${++open.savepoints}`;
    const effects = open.effects.length;
    await open.runner.query(`SAVEPOINT ${name}`);
    try {
      return await work();
    } catch (error) {
      open.effects.length = effects;
      await open.runner.query(`ROLLBACK TO SAVEPOINT ${name}`);
      throw error;
    }
  }

  private async attempt<Result>(work: () => Promise<Result>): Promise<Result> {
    const runner = this.createQueryRunner();
    const open: OpenTransaction = { runner, effects: [], savepoints: 0, isOver: false };
    // TypeORM releases what it believes to have made for one statement.
    const release = runner.release.bind(runner);
    runner.release = () => Promise.resolve();
    let result: Result;
    try {
      await runner.startTransaction();
      const { alone, crowded } = LOCK_MS;
      await runner.query(`SET LOCAL lock_timeout = ${this.running > AT_ONCE ? crowded : alone}`);
      result = await this.storage.run(open, work);
      await runner.commitTransaction();
    } catch (error) {
      // TypeORM lets go of a connection that breaks, and refuses further statements as a mistake of ours.
      if (runner.isReleased) throw new Error('Connection terminated within a transaction', { cause: error });
      await runner.rollbackTransaction().catch(() => undefined);
      throw error;
    } finally {
      open.isOver = true;
      await release();
    }
    for (const effect of open.effects) effect();
    return result;
  }

  /** What still runs when the transaction is over is no part of it. */
  private get open(): OpenTransaction | undefined {
    const open = this.storage.getStore();
    return open?.isOver === false ? open : undefined;
  }
}
