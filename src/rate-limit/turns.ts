import { Injectable } from '@nestjs/common';
import { Problem } from '../problems/problem';

/** A network whose line is as long as this is told to come back later. */
const MOST_WAITING = 64;
/** Less than a request may take in all. */
const PATIENCE_MS = 2_000;
/** Some work waits for something else most of its time, and keeps no processor busy. */
const LONGEST_REST_MS = 300;

interface Waiter {
  begin(end: () => void): void;
  timer: NodeJS.Timeout;
}

/**
 * Lets each network have one piece of costly work done at a time. After each, the network rests for as long as the work
 * took: all that it asks for takes at most half of one thread, however much it asks for at once. Networks do not wait
 * for each other.
 */
@Injectable()
export class Turns {
  /** Of each network that works or rests, what waits for its turn. */
  private readonly lines = new Map<string, Set<Waiter>>();

  /**
   * Waits for a turn.
   *
   * @param gone when it is aborted, the turn is no longer wanted
   * @returns what ends the turn
   * @throws {Problem} `rate_limited` where too many of the network wait, or for too long
   */
  async take(network: string, gone: AbortSignal): Promise<() => void> {
    const line = this.lines.get(network);
    if (line === undefined) {
      this.lines.set(network, new Set());
      return this.begin(network);
    }
    if (line.size >= MOST_WAITING) throw comeBack();
    return await new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(waiter.timer);
        line.delete(waiter);
        reject(comeBack());
      };
      const waiter: Waiter = { begin: resolve, timer: setTimeout(leave, PATIENCE_MS) };
      line.add(waiter);
      gone.addEventListener('abort', leave, { once: true });
    });
  }

  private begin(network: string): () => void {
    const start = performance.now();
    let end = (): void => {
      end = () => undefined;
      const rest = Math.min(performance.now() - start, LONGEST_REST_MS);
      setTimeout(() => this.callNext(network), rest).unref();
    };
    return () => end();
  }

  private callNext(network: string): void {
    const line = this.lines.get(network);
    const [next] = line ?? [];
    if (next === undefined) {
      this.lines.delete(network);
      return;
    }
    line?.delete(next);
    clearTimeout(next.timer);
    next.begin(this.begin(network));
  }
}

const comeBack = () => new Problem('rate_limited', { headers: { 'Retry-After': '1' } });
