import { InjectQueue } from '@nestjs/bull';
import { Injectable } from '@nestjs/common';
import type { Queue } from 'bull';
import { jobsToSend } from '../telemetry/channels';
import { EXPIRATION_QUEUE, RELAY_JOB, RELEASE_JOB, type ReleaseJob } from './job-types';
import { RedisHealth } from './redis-health';
import { WakeUpSender } from './wake-up-sender';

/** All holds that fall due within this many milliseconds share one job. */
const INTERVAL_MS = 100;
/** The job runs this much later than the end of its interval, so that rounding never brings it there too early. */
const MARGIN_MS = 10;

/** Sends delayed Bull jobs: one per interval in which holds fall due; most reservations find theirs already sent. */
@Injectable()
export class BullWakeUpSender extends WakeUpSender {
  private readonly sent = new Set<number>();

  constructor(
    @InjectQueue(EXPIRATION_QUEUE) private readonly queue: Queue<ReleaseJob | object>,
    private readonly health: RedisHealth,
  ) {
    super();
  }

  override wakeAtExpiry(expiresAt: Date, expiresInMs: number): void {
    const interval = Math.ceil(expiresAt.getTime() / INTERVAL_MS) * INTERVAL_MS;
    // With the connection down, add() would not settle before it is up again; the sweeper does without.
    if (this.sent.has(interval) || this.queue.client.status !== 'ready') return;
    const delay = interval - expiresAt.getTime() + expiresInMs + MARGIN_MS;
    this.sent.add(interval);
    const job: ReleaseJob = { dueAt: new Date(interval).toISOString() };
    jobsToSend.publish(job);
    // The id keeps other processes from sending a second job for the interval.
    this.queue
      .add(RELEASE_JOB, job, { jobId: `release-${interval}`, delay })
      .catch((error: unknown) => this.health.failed(error as Error));
    setTimeout(() => this.sent.delete(interval), delay).unref();
  }

  override wakeRelay(): void {
    if (this.queue.client.status !== 'ready') return;
    // Commits of one moment share a job.
    const jobId = `relay-${Math.ceil(Date.now() / INTERVAL_MS)}`;
    this.queue.add(RELAY_JOB, {}, { jobId }).catch((error: unknown) => this.health.failed(error as Error));
  }
}
