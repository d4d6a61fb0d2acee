import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command, Job, LoadResult } from '../load/job';
import type { Cleanup } from '../../support/cleanup';

const WARM_UP_MS = 500;

/** A run of load that is under way. */
export interface RunningLoad {
  /** Begins the measurement; before, it was warming up. */
  mark(): void;
  /** Ends it. */
  stop(): Promise<LoadResult>;
  /** When all requests there are have been answered, or after `stop`. */
  done: Promise<LoadResult>;
}

/** The process that makes the load, apart from this one so that neither disturbs the other. */
export class LoadProcess {
  private constructor(private readonly child: ChildProcess) {}

  static start(cleanup: Cleanup): LoadProcess {
    const child = fork(join(__dirname, '../load/main.js'));
    cleanup.add(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill();
      await once(child, 'exit');
    });
    return new LoadProcess(child);
  }

  start(job: Job): RunningLoad {
    const done = this.result();
    done.catch(() => undefined); // whoever waits for it is told; nobody may be waiting yet
    this.tell({ do: 'start', job });
    return {
      mark: () => this.tell({ do: 'mark' }),
      stop: () => {
        this.tell({ do: 'stop' });
        return done;
      },
      done,
    };
  }

  /** Half a second to warm up, then measures for `seconds`, or until there are no more requests. */
  async run(job: Job, seconds: number): Promise<LoadResult> {
    const running = this.start(job);
    await sleep(WARM_UP_MS);
    running.mark();
    await Promise.race([sleep(seconds * 1_000, undefined, { ref: false }), running.done]);
    return await running.stop();
  }

  private async result(): Promise<LoadResult> {
    return await new Promise((resolve, reject) => {
      const lost = () => reject(new Error('The load process ended'));
      this.child.once('exit', lost);
      this.child.once('message', (result: LoadResult) => {
        this.child.off('exit', lost);
        resolve(result);
      });
    });
  }

  private tell(command: Command): void {
    this.child.send(command);
  }
}
