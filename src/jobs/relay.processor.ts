import { Process, Processor } from '@nestjs/bull';
import { EXPIRATION_QUEUE, RELAY_JOB } from '../queue/job-types';
import { Relay } from './relay';

/** Runs the relay when a commit has left something for it; what is lost on the way, the relay finds by itself. */
@Processor(EXPIRATION_QUEUE)
export class RelayProcessor {
  constructor(private readonly relay: Relay) {}

  @Process(RELAY_JOB)
  async work(): Promise<void> {
    await this.relay.run();
  }
}
