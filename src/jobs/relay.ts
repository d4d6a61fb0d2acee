import { Inject, Injectable, Logger } from '@nestjs/common';
import { OutboxRepository, type ClaimedMessage } from './outbox.repository';
import { OutboxService } from './outbox.service';
import { RecurringTask } from './recurring-task';
import { restAfterStep } from './rest';

/** Milliseconds between two looks at the outbox that nothing has asked for. */
export const RELAY_INTERVAL = Symbol('relay interval');

/** Messages worked on at once by one process. */
const CLAIM_SIZE = 10;
/** Longer than any handler takes; after it, a message of a relay that was killed is taken over. */
const LEASE_SECONDS = 60;
/** Pauses grow from a second to an hour, and add up to about three days. */
const MAX_ATTEMPTS = 80;
const LONGEST_PAUSE_SECONDS = 3_600;

/** Hands the messages of the outbox to their handlers: at least once, whatever is killed; after failures again later. */
@Injectable()
export class Relay extends RecurringTask {
  private readonly messageLogger = new Logger('Outbox');

  constructor(
    private readonly outbox: OutboxService,
    private readonly repository: OutboxRepository,
    @Inject(RELAY_INTERVAL) intervalMs: number,
  ) {
    super({ intervalMs, failing: "The outbox can't be read", recovered: 'The outbox is being read again' });
  }

  /** Works off what is due now. Safe to call at any time, from any number of processes. */
  override async run(): Promise<void> {
    const { topics } = this.outbox;
    if (topics.length === 0) return;
    while (!this.isStopped) {
      const begun = performance.now();
      const messages = await this.repository.claim(topics, CLAIM_SIZE, LEASE_SECONDS);
      const outcomes = await Promise.all(messages.map((message) => this.deliver(message)));
      const done = messages.filter((_, i) => outcomes[i]);
      if (done.length > 0) await this.repository.complete(done);
      if (messages.length < CLAIM_SIZE) return;
      await restAfterStep(begun);
    }
  }

  /** @returns whether it is done; else it is put off */
  private async deliver(message: ClaimedMessage): Promise<boolean> {
    const { id, topic, payload, attempts } = message;
    try {
      await this.outbox.handlerOf(topic)?.({ id, payload, attempt: attempts });
      return true;
    } catch (error) {
      await this.putOff(message, error as Error);
      return false;
    }
  }

  private async putOff(message: ClaimedMessage, error: Error): Promise<void> {
    const { id, topic, attempts } = message;
    const isDead = attempts >= MAX_ATTEMPTS;
    const seconds = Math.min(2 ** (attempts - 1), LONGEST_PAUSE_SECONDS);
    const outcome = isDead ? 'given up: it is a dead letter now' : `tried again in ${seconds} s`;
    this.messageLogger.warn(`Message ${id} to ${topic} failed (${error.message}) and is ${outcome}.`);
    await this.repository.putOff(message, { seconds, isDead, error: error.message });
  }
}
