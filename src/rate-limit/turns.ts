import { Injectable } from '@nestjs/common';
import { sharesOf, type Network } from '../http/network';
import { Problem } from '../problems/problem';

/** A caller whose line is as long as this is told to come back later. */
const MOST_WAITING = 64;
/** Less than a request may take in all. */
const PATIENCE_MS = 2_000;
/** Some work waits for something else most of its time, and keeps no processor busy. */
const LONGEST_REST_MS = 300;

interface Waiter {
  begin(end: () => void): void;
  timer: NodeJS.Timeout;
}

/** Those who take turns together. */
interface Line {
  /** How many of them work or rest. */
  taken: number;
  waiting: Set<Waiter>;
}

/**
 * Lets each network have one piece of costly work done at a time, and all of a site of IPv6 a few. After each, the network
 * rests for as long as the work took: all that it asks for takes at most half of one thread, however much it asks for at
 * once. Networks do not wait for each other.
 */
@Injectable()
export class Turns {
  private readonly lines = new Map<string, Line>();

  /**
   * Waits for a turn of a network, in a line for this kind of work.
   *
   * @param gone when it is aborted, the turn is no longer wanted
   * @returns what ends the turn
   * @throws {Problem} `rate_limited` where too many of the network wait, or for too long
   */
  async takeFor(network: Network, kind: string, gone: AbortSignal): Promise<() => void> {
    const ends: (() => void)[] = [];
    const endAll = () => ends.forEach((end) => end());
    try {
      // That of the address first: who waits in it keeps nothing from the neighbours on the site.
      for (const [name, atOnce] of sharesOf(network, 1))
        ends.push(await this.take(`${kind} ${name}`, gone, atOnce));
      return endAll;
    } catch (refusal) {
      endAll();
      throw refusal;
    }
  }

  /**
   * Waits for a turn in the line of this name; the rest is as above.
   *
   * @param atOnce how many may have one at a time
   */
  async take(name: string, gone: AbortSignal, atOnce = 1): Promise<() => void> {
    if (gone.aborted) throw comeBack();
    const line = this.lines.get(name) ?? { taken: 0, waiting: new Set() };
    this.lines.set(name, line);
    if (line.taken < atOnce) {
      line.taken++;
      return this.begin(name, line);
    }
    const { waiting } = line;
    if (waiting.size >= MOST_WAITING) throw comeBack();
    return await new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(waiter.timer);
        waiting.delete(waiter);
        reject(comeBack());
      };
      const waiter: Waiter = { begin: resolve, timer: setTimeout(leave, PATIENCE_MS) };
      waiting.add(waiter);
      gone.addEventListener('abort', leave, { once: true });
    });
  }

  private begin(name: string, line: Line): () => void {
    const start = performance.now();
    let end = (): void => {
      end = () => undefined;
      const rest = Math.min(performance.now() - start, LONGEST_REST_MS);
      setTimeout(() => this.callNext(name, line), rest).unref();
    };
    return () => end();
  }

  private callNext(name: string, line: Line): void {
    const [next] = line.waiting;
    if (next === undefined) {
      line.taken--;
      if (line.taken === 0) this.lines.delete(name);
      return;
    }
    line.waiting.delete(next);
    clearTimeout(next.timer);
    next.begin(this.begin(name, line));
  }
}

const comeBack = () => new Problem('rate_limited', { headers: { 'Retry-After': '1' } });
