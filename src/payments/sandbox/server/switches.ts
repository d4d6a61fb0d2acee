import type { Pool } from 'pg';

/** How the sandbox misbehaves towards all callers. */
export interface Switches {
  /** One call in so many is answered 500: every second of those did nothing, the others did what was asked. 0: none. */
  fail_one_in: number;
  delay_ms: number;
  answers_garbage: boolean;
  /** Refunds fail. */
  balance_exhausted: boolean;
}

/** For so long a process may not notice what another one switched. */
const REMEMBERED_MS = 250;

const COLUMNS = 'fail_one_in, delay_ms, answers_garbage, balance_exhausted';

/** The switches of the account, which outlive the process. */
export class SwitchBoard {
  private known?: { switches: Switches; at: number };
  private reading?: Promise<Switches>;

  constructor(private readonly pool: Pool) {}

  async read(): Promise<Switches> {
    if (this.known && performance.now() - this.known.at < REMEMBERED_MS) return this.known.switches;
    this.reading ??= this.query(`SELECT ${COLUMNS} FROM sandbox.account`).finally(() => {
      this.reading = undefined;
    });
    return await this.reading;
  }

  /** Changes those that are named. */
  async set(changes: Partial<Switches>): Promise<Switches> {
    return await this.query(
      `UPDATE sandbox.account SET fail_one_in = coalesce($1, fail_one_in), delay_ms = coalesce($2, delay_ms),
        answers_garbage = coalesce($3, answers_garbage), balance_exhausted = coalesce($4, balance_exhausted)
      RETURNING ${COLUMNS}`,
      [changes.fail_one_in, changes.delay_ms, changes.answers_garbage, changes.balance_exhausted],
    );
  }

  private async query(text: string, values: unknown[] = []): Promise<Switches> {
    const { rows } = await this.pool.query<Switches>(text, values);
    const [switches] = rows;
    if (!switches) throw new Error('The account of the sandbox is gone');
    this.known = { switches, at: performance.now() };
    return switches;
  }
}
