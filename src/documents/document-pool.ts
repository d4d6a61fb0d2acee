import { join } from 'node:path';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import Piscina from 'piscina';
import { Problem } from '../problems/problem';
import type { DocumentOrder, DocumentTask } from './worker/ticket-page';

/** A thread runs what is built, also where Jest runs the sources. */
const BUILT = __filename.endsWith('.ts') ? join(__dirname, '../../dist/src/documents') : __dirname;

/** Documents that wait. More could not be made before their requests have waited too long. */
export const MOST_WAITING = 16;
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
    maxQueue: MOST_WAITING,
    idleTimeout: IDLE_MS,
    niceIncrement: NICE,
    resourceLimits: { maxOldGenerationSizeMb: 192 },
  });
  private lookedAt = performance.eventLoopUtilization();

  /** @throws {Problem} `overloaded` when too many wait already, or when it takes too long */
  async make(order: DocumentOrder): Promise<Uint8Array> {
    if (this.threads.queueSize >= MOST_WAITING) throw overloaded();
    const signal = AbortSignal.timeout(LIMIT_MS);
    try {
      return await this.threads.run({ ...order, isCrowded: this.isCrowded() }, { signal });
    } catch (error) {
      throw signal.aborted ? overloaded() : error;
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

const overloaded = () => new Problem('overloaded', { headers: { 'Retry-After': '2' } });
