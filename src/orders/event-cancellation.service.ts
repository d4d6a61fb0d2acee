import { Injectable } from '@nestjs/common';
import type { OrganizerScope } from '../database/scope';
import { Transactions } from '../database/transactions';
import { EventAccessService } from '../event-access/event-access.service';
import type { KeyClaim } from '../idempotency/key-claim';
import {
  CANCELLATION_TOPIC,
  EventClosingService,
  type Cancellation,
} from '../inventory/event-closing.service';
import { OutboxService, type Message } from '../jobs/outbox.service';
import { restAfterStep } from '../jobs/rest';
import { Problem } from '../problems/problem';
import { WakeUpSender } from '../queue/wake-up-sender';

/** How long the answer may wait for holds to end; as many as are left, the message sees to. */
const ANSWER_MS = 1_500;
/** Well within the lease of a message: after it, the next message goes on. */
const TURN_MS = 20_000;

/** Cancels events: sales stop at once, then holds end, then what was paid is gone through, whatever is killed between. */
@Injectable()
export class EventCancellationService {
  constructor(
    private readonly closing: EventClosingService,
    private readonly events: EventAccessService,
    private readonly transactions: Transactions,
    private readonly outbox: OutboxService,
    private readonly wakeUps: WakeUpSender,
  ) {
    outbox.handle(CANCELLATION_TOPIC, (message) => this.goOn(message as Message<{ eventId: number }>));
  }

  /**
   * Cancels an event; one that is cancelled stays so, and goes on where it was stuck.
   *
   * @param claim the request's `Idempotency-Key`
   * @throws {Problem} `event_not_found`, `forbidden`, `event_not_published` for a draft
   */
  async begin(eventId: number, scope: OrganizerScope, claim?: KeyClaim): Promise<Cancellation> {
    const cancellation = await this.closing.close(eventId, scope, claim);
    if (cancellation.status === 'running') {
      await this.repeat(ANSWER_MS, () => this.closing.cancelSomeHolds(eventId));
      this.wakeUps.wakeRelay();
    }
    if (cancellation.status !== 'stuck' || claim?.replayOf) return cancellation;
    const resumed = await this.resume(eventId, cancellation);
    claim?.keepOwnAnswer();
    return resumed;
  }

  /** @throws {Problem} `event_not_found`, `forbidden`, `cancellation_not_found` */
  async get(eventId: number, scope: OrganizerScope): Promise<Cancellation> {
    await this.events.requireOrganizer(eventId, scope);
    const cancellation = await this.closing.find(eventId);
    if (!cancellation) throw new Problem('cancellation_not_found');
    return cancellation;
  }

  /** A person has seen to what it was stuck at. */
  private async resume(eventId: number, cancellation: Cancellation): Promise<Cancellation> {
    if (!cancellation.isGoneThrough)
      await this.transactions.run(() => this.outbox.add(CANCELLATION_TOPIC, { eventId }));
    await this.repeat(ANSWER_MS, () => this.closing.retrySomeRefunds(eventId));
    this.wakeUps.wakeRelay();
    return (await this.closing.find(eventId)) ?? cancellation;
  }

  private async goOn({ payload: { eventId } }: Message<{ eventId: number }>): Promise<void> {
    const deadline = performance.now() + TURN_MS;
    const left = () => deadline - performance.now();
    const isDone =
      (await this.repeat(left(), () => this.closing.cancelSomeHolds(eventId))) &&
      (await this.repeat(left(), () => this.cancelSomePaidOrders(eventId)));
    if (!isDone) await this.transactions.run(() => this.outbox.add(CANCELLATION_TOPIC, { eventId }));
  }

  private async cancelSomePaidOrders(eventId: number): Promise<boolean> {
    const begun = performance.now();
    const isDone = await this.closing.cancelSomePaidOrders(eventId);
    if (!isDone) await restAfterStep(begun);
    return isDone;
  }

  /** @returns whether all is done */
  private async repeat(ms: number, work: () => Promise<boolean>): Promise<boolean> {
    const deadline = performance.now() + ms;
    do {
      if (await work()) return true;
    } while (performance.now() < deadline);
    return false;
  }
}
