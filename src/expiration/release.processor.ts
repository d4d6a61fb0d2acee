import { Process, Processor } from '@nestjs/bull';
import type { Job } from 'bull';
import { jobs } from '../telemetry/channels';
import { EXPIRATION_QUEUE, RELEASE_JOB, type ReleaseJob } from '../queue/job-types';
import { TicketsService } from '../tickets/tickets.service';

/** Works off the delayed jobs: each is a wake-up at the end of an interval in which holds fell due. */
@Processor(EXPIRATION_QUEUE)
export class ReleaseProcessor {
  constructor(private readonly tickets: TicketsService) {}

  @Process(RELEASE_JOB)
  async release({ name, data }: Job<ReleaseJob>): Promise<number> {
    return await jobs.tracePromise(() => this.tickets.releaseDueHolds('bull'), { name, data });
  }
}
