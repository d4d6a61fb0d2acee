import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { releases, type Release, type ReleaseTrigger } from '../telemetry/channels';

/** Releases within this time share a line of the log. */
const INTERVAL_MS = 1_000;

interface Summary {
  released: number;
  /** How much later than its end the latest of the holds was released. */
  latest: number;
}

/** Tells the log how many holds were released: a line a second for each trigger, however many holds end. */
@Injectable()
export class ReleaseLog implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('Holds');
  private readonly summaries = new Map<ReleaseTrigger, Summary>();
  private timer?: NodeJS.Timeout;

  onModuleInit(): void {
    subscribe(releases.name, this.add);
  }

  onApplicationShutdown(): void {
    unsubscribe(releases.name, this.add);
    this.tell();
  }

  private readonly add = (message: unknown) => {
    const { trigger, lateSeconds } = message as Release;
    const { released, latest } = this.summaries.get(trigger) ?? { released: 0, latest: 0 };
    this.summaries.set(trigger, {
      released: released + lateSeconds.length,
      latest: lateSeconds.reduce((most, seconds) => Math.max(most, seconds), latest),
    });
    this.timer ??= setTimeout(() => this.tell(), INTERVAL_MS).unref();
  };

  private tell(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const [trigger, { released, latest }] of this.summaries) {
      const latest_ms = Math.round(latest * 1_000);
      const msg = `Released ${released}, noticed by ${trigger}, the latest ${latest_ms} ms late`;
      this.logger.log({ msg, trigger, released, latest_ms });
    }
    this.summaries.clear();
  }
}
