import { Faker, en } from '@faker-js/faker';
import type { SeedEvent } from './data';
import type { TicketStatus } from '../../src/inventory/ticket-status';

export interface SeedTicket {
  userId: number;
  eventId: number;
  status: TicketStatus;
  createdAt: Date;
  expiresAt: Date;
  paidAt: Date | null;
}

const STATUSES: { weight: number; value: TicketStatus }[] = [
  { value: 'paid', weight: 80 },
  { value: 'expired', weight: 10 },
  { value: 'cancelled', weight: 7 },
  { value: 'reserved', weight: 3 },
];

/** Invents tickets: so many in all, more of them for the events that are wanted, never more than there are places. */
export class SeedTickets {
  private readonly faker: Faker;
  private eventsSeen = 0;
  /** How many there are by now. */
  made = 0;

  /**
   * @param total how many tickets for all events together
   * @param userIds whose they are
   * @param today before which all but the live holds were reserved
   */
  constructor(
    seed: number,
    private readonly total: number,
    private readonly eventsInAll: number,
    private readonly userIds: number[],
    private readonly holdSeconds: number,
    private readonly today: Date,
  ) {
    this.faker = new Faker({ locale: en, seed: seed + 2 });
  }

  /** The tickets of the next events; what finds no place there is left to those after them. */
  *of(events: SeedEvent[]): Generator<SeedTicket> {
    this.eventsSeen += events.length;
    const quota = Math.floor((this.total * this.eventsSeen) / this.eventsInAll) - this.made;
    const wanted = events.reduce((sum, event) => sum + demand(event), 0);
    let demanded = 0;
    let given = 0;
    for (const event of events) {
      demanded += demand(event);
      const number = Math.min(event.capacity, Math.floor((quota * demanded) / wanted) - given);
      given += number;
      for (let i = 0; i < number; i++) yield this.take(event);
    }
    this.made += given;
  }

  private take(event: SeedEvent): SeedTicket {
    const { faker } = this;
    const userId = faker.helpers.arrayElement(this.userIds);
    const status = faker.helpers.weightedArrayElement(STATUSES);
    const now = new Date();
    const isHeld = status === 'reserved' && event.endTime > now;
    const createdAt = isHeld ? now : this.whileOnSale(event);
    const held = this.holdSeconds * 1_000;
    event.wasTaken = true;
    if (isHeld) event.held++;
    if (status === 'paid') event.sold++;
    return {
      userId,
      eventId: event.id,
      status: status === 'reserved' && !isHeld ? 'expired' : status,
      createdAt,
      expiresAt: new Date(createdAt.getTime() + held),
      paidAt: status === 'paid' ? new Date(createdAt.getTime() + faker.number.float(0.9) * held) : null,
    };
  }

  /** A time between the announcement and the start of an event, and before today. */
  private whileOnSale({ createdAt, startTime }: SeedEvent): Date {
    const latest = Math.min(startTime.getTime(), this.today.getTime());
    const earliest = Math.min(createdAt.getTime(), latest);
    return new Date(this.faker.number.int({ min: earliest, max: latest }));
  }
}

const demand = ({ capacity, popularity }: SeedEvent) => capacity * popularity;
