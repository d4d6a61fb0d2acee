import type { EntityManager } from 'typeorm';
import type { SeatsOptions } from './count-places';
import { inRanges, lengthOf, type Span } from './ranges';
import { plural } from './report';

interface RowFault {
  /** What it is, and what is wrong with it, with `|` in between. */
  what: string;
  number: number;
  /** The first id of them. */
  first: number;
}

/** Rows with which something is wrong, by what it is. */
export class RowFaults {
  private readonly faults = new Map<string, RowFault>();

  /** Adds what a statement finds: the columns of a `RowFault`. */
  async find(manager: EntityManager, text: string, values: unknown[] = []): Promise<void> {
    for (const { what, number, first } of await manager.query<RowFault[]>(text, values)) {
      const before = this.faults.get(what);
      this.faults.set(what, { what, number: number + (before?.number ?? 0), first: before?.first ?? first });
    }
  }

  /**
   * Adds what a statement finds in all ranges of a table's ids, `$1` to `$2`.
   *
   * @returns the first and the last id
   */
  async findThrough(
    manager: EntityManager,
    table: string,
    text: string,
    { progress, stopped }: Pick<SeatsOptions, 'progress' | 'stopped'>,
  ): Promise<Span> {
    const [span] = await manager.query<[Span]>(`SELECT min(id) AS first, max(id) AS last FROM ${table}`);
    await progress(lengthOf(span), async (add) => {
      const look = (from: number, to: number) => this.find(manager, text, [from, to]);
      for await (const number of inRanges(manager, span, look)) {
        stopped.throwIfAborted();
        add(number);
      }
    });
    return span;
  }

  /** A line for each fault. */
  get details() {
    return [...this.faults.values()].map(({ what, number, first }) => {
      const [kind = '', fault] = what.split('|');
      return {
        number,
        first,
        message: `${plural(number, kind)} ${fault}, ${number === 1 ? '' : 'the first is '}${kind} ${first}`,
      };
    });
  }
}
