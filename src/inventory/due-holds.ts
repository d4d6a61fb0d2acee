import { Injectable } from '@nestjs/common';
import { DatabaseClock } from '../database/database-clock';
import { isLockTimeout, isStatementTimeout } from '../database/database-error';
import { releases, type Release, type ReleaseTrigger } from '../telemetry/channels';
import { DueScan, DueScanCursor, type Since } from './due-scan-cursor';
import { InventoryRepository } from './inventory.repository';
import { StuckRows } from './stuck-rows';
import { PATIENCE_MS } from './retry-without-stuck-rows';

/** Holds ended by one statement: many, for it locks the seats only at its end, and each statement waits its turn there. */
const MOST_AT_ONCE = 2_000;
/** Of one walk: halved so often, `MOST_AT_ONCE` is one. */
const TRIES = 12;
/** Where very many holds are due, so many statements end them side by side: each passes over what another has locked. */
const WALKS = 2;

/** Ends holds that are due and gives their seats back. */
@Injectable()
export class DueHolds {
  private readonly looks = new DueScanCursor<'all' | number>();
  /** Halved when a statement takes too long: a few holds in time are more than many never. */
  private size = MOST_AT_ONCE;

  constructor(
    private readonly repository: InventoryRepository,
    private readonly stuck: StuckRows,
    private readonly clock: DatabaseClock,
  ) {}

  /**
   * Ends every hold that is due; safe to call from anywhere, any number of times. Those of events whose counters somebody
   * keeps locked are left for the next call.
   *
   * @returns how many holds were ended
   */
  async release(trigger: ReleaseTrigger): Promise<number> {
    await this.stuck.lookAtEvents(this.stuck.eventIds);
    const { ended, rest } = await this.walk(this.scanAll(), trigger, 1);
    if (!rest) return ended;
    const walks = await Promise.allSettled(Array.from({ length: WALKS }, () => this.walk(rest, trigger)));
    return walks.reduce((total, walk) => {
      if (walk.status === 'rejected') throw walk.reason;
      return total + walk.value.ended;
    }, ended);
  }

  /**
   * Goes on with a scan until all is ended that it has yet to pass, or `most` statements have each ended as many holds as
   * they may: then the rest of the scan is still to be gone through.
   */
  private async walk(
    scan: DueScan,
    trigger: ReleaseTrigger,
    most = Infinity,
  ): Promise<{ ended: number; rest?: DueScan }> {
    let ended = 0;
    for (let [full, failures] = [0, 0]; full < most;) {
      const size = this.size;
      try {
        const { length } = await this.releaseSome(scan, size, trigger);
        ended += length;
        if (length < size) return { ended };
        full++;
      } catch (error) {
        if (!(isLockTimeout(error) || isStatementTimeout(error)) || ++failures === TRIES) throw error;
        if (isStatementTimeout(error) && scan.isEverything) {
          this.looks.skipEverything('all', this.clock.now());
          scan = this.scanAll();
        }
      }
    }
    return { ended, rest: scan };
  }

  /** Since when the holds of an event are to be looked at for due ones. */
  sinceOf(eventId: number): Since {
    return this.looks.since(eventId);
  }

  /** Remembers that a look at the holds of an event, which began behind `since`, found none that was due. */
  sawNoneDue(eventId: number, since: Since, lookedAt: Date): void {
    this.looks.remember(eventId, since, { lookedAt });
  }

  /**
   * Ends the due holds of events whose seats somebody wants now. Those whose orders stay locked are left out.
   *
   * @param patienceMs how long to wait for a lock, such as that of another process that ends the same holds
   * @returns those of the events that have free seats again
   */
  async releaseOf(eventIds: readonly number[], patienceMs: number): Promise<number[]> {
    const { size } = this;
    const since = eventIds.map((id) => this.looks.since(id));
    const releaseOf = (isWaiting: boolean) =>
      this.repository.releaseDueHoldsOf(
        { eventIds, since, limit: size, leftOut: this.stuck.orderIds },
        { patienceMs, isWaiting },
      );
    try {
      const found = await releaseOf(true).catch((error: unknown) => {
        if (isLockTimeout(error)) return releaseOf(false);
        throw error;
      });
      this.stuck.markOrders(found.skippedIds);
      if (found.isAll && this.stuck.orderIds.length === 0) {
        for (const [i, id] of eventIds.entries()) this.looks.remember(id, since[i], found);
      }
      this.tell('reservation', found.lateSeconds, size);
      return found.eventIds;
    } catch (error) {
      this.adapt(error);
      throw error;
    }
  }

  private scanAll(): DueScan {
    return new DueScan(this.looks.since('all'));
  }

  private async releaseSome(scan: DueScan, size: number, trigger: ReleaseTrigger): Promise<number[]> {
    const due = { limit: size, since: scan.next, leftOut: this.stuck.eventIds };
    try {
      const found = await this.repository.releaseDueHolds(due, PATIENCE_MS);
      if (found.lateSeconds.length === size) scan.advance(found);
      else {
        const { since, ...walk } = scan.end(found);
        this.looks.remember('all', since, walk);
      }
      this.tell(trigger, found.lateSeconds, size);
      return found.lateSeconds;
    } catch (error) {
      if (isLockTimeout(error))
        await this.stuck.lookAtEvents(await this.repository.findEventsOfDueHolds(due));
      this.adapt(error);
      throw error;
    }
  }

  private adapt(error: unknown): void {
    if (isStatementTimeout(error)) this.size = Math.max(1, this.size >> 1);
  }

  private tell(trigger: ReleaseTrigger, lateSeconds: number[], size: number): void {
    if (lateSeconds.length === size) this.size = Math.min(MOST_AT_ONCE, size * 2);
    const release: Release = { trigger, lateSeconds };
    if (lateSeconds.length > 0) releases.publish(release);
  }
}
