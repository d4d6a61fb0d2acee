import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { DataSource } from 'typeorm';

const INTERVAL_MS = 15_000;

/**
 * The time by PostgreSQL's clock, on which all processes agree: that of this machine may be wrong, or be set while we
 * look at it. Between two questions to PostgreSQL the time passes by a monotonic clock.
 */
@Injectable()
export class DatabaseClock implements OnModuleInit, OnApplicationShutdown {
  /** Milliseconds since 1970 when `performance.now()` was 0; until PostgreSQL has answered, as this machine has it. */
  private origin = performance.timeOrigin;
  private timer?: NodeJS.Timeout;

  constructor(private readonly dataSource: DataSource) {}

  async onModuleInit(): Promise<void> {
    await this.ask();
    this.timer = setInterval(() => void this.ask(), INTERVAL_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** Milliseconds since 1970; wrong by no more than half the time that PostgreSQL took to answer. */
  now(): number {
    return this.origin + performance.now();
  }

  private async ask(): Promise<void> {
    const before = performance.now();
    try {
      const [answer] = await this.dataSource.query<{ ms: number }[]>(
        'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms',
      );
      if (answer) this.origin = answer.ms - (before + performance.now()) / 2;
    } catch {
      // What it said last is still right.
    }
  }
}
