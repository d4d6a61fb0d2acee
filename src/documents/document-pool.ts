import { join } from 'node:path';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import Piscina from 'piscina';
import { Problem } from '../problems/problem';
import type { DocumentOrder, DocumentTask } from './worker/ticket-page';

/** A thread runs what is built, also where Jest runs the sources. */
const BUILT = __filename.endsWith('.ts') ? join(__dirname, '../../dist/src/documents') : __dirname;

/** Documents that wait for the one at work. More could not be made before their requests have waited too long. */
export const MOST_WAITING = 16;
/** A document that is not made by then is given up, a little before its request is. */
const PATIENCE_MS = 2_000;
/** Whatever keeps a thread busy for so long is not waited for any more, and ends with the thread. */
export const LIMIT_MS = 10_000;
/** While people reserve, documents get a tenth of what the rest gets, where the processor is scarce. */
const NICE = 10;
/** A loop that is busy for more than this share of the time serves a crowd. */
const BUSY = 0.5;
/** A thread with its fonts takes 30 MB, and a while to load them: it ends when nothing was asked of it for so long. */
const IDLE_MS = 600_000;

/** Makes documents in a thread of their own, so that the event loop never waits for one. */
@Injectable()
export class DocumentPool implements OnApplicationShutdown {
  private readonly threads = new Piscina<DocumentTask, Uint8Array>({
    filename: join(BUILT, 'worker/worker.js'),
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: IDLE_MS,
    niceIncrement: NICE,
    resourceLimits: { maxOldGenerationSizeMb: 192 },
  });
  /** Documents that somebody waits for. */
  private wanted = 0;
  private lookedAt = performance.eventLoopUtilization();

  /**
   * @param gone when it is aborted, the document is no longer wanted
   * @throws {Problem} `overloaded` when too many wait already, or when it takes too long; `document_too_slow` when it is of
   *   several tickets and takes too long by itself
   */
  async make(order: DocumentOrder, gone: AbortSignal): Promise<Uint8Array> {
    if (this.wanted > MOST_WAITING) throw overloaded();
    // The thread looks here before each page. Ending it would cost the fonts that it has loaded.
    const [over, begun] = [sharedNumber(), sharedNumber()];
    const made = this.threads.run(
      { ...order, over, begun, isCrowded: this.isCrowded() },
      { signal: AbortSignal.timeout(LIMIT_MS) },
    );
    const end = AbortSignal.any([gone, AbortSignal.timeout(PATIENCE_MS)]);
    this.wanted++;
    try {
      return await Promise.race([made, aborted(end)]);
    } catch (error) {
      if (!end.aborted) throw error;
      // The first page may have waited for the thread, and for its fonts: the next time they are there.
      throw Atomics.load(begun, 0) > 1 ? tooSlow() : overloaded();
    } finally {
      this.wanted--;
      Atomics.store(over, 0, 1);
    }
  }

  /** Whether the event loop had much to do since the document before. */
  private isCrowded(): boolean {
    const before = this.lookedAt;
    this.lookedAt = performance.eventLoopUtilization();
    return performance.eventLoopUtilization(this.lookedAt, before).utilization > BUSY;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.threads.destroy();
  }
}

/** Rejects as soon as the signal is aborted. */
const aborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    const giveUp = () => reject(signal.reason as Error);
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
  });

const sharedNumber = () => new Int32Array(new SharedArrayBuffer(4));

const tooSlow = () => new Problem('document_too_slow', { headers: { 'Retry-After': '2' } });

const overloaded = () => new Problem('overloaded', { headers: { 'Retry-After': '2' } });
