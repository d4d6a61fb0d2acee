import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { Statements } from '../database/statements';
import { Event } from './event.entity';
import { eventById, listEvent, type EventFilter, type EventKey } from './events.statements';
import { listEvents } from './list-events';

export type NewEvent = Omit<Event, 'id' | 'createdAt' | 'unlistedAt' | 'position' | 'search' | 'organizer'>;

export interface Seats {
  capacity: number;
  held: number;
  sold: number;
}

export type EventWithSeats = Omit<Event, 'position' | 'search' | 'organizer'> & Seats;

/** An event in a list: with what the list is sorted by, and its distance where one was searched around a place. */
export type ListedEvent = EventWithSeats & { key: Date | number; distanceKm?: number };

export interface EventsPage {
  rows: ListedEvent[];
  /** How many rows there were, of which only the first are read where they are long. */
  found: number;
  /** The last event that was looked at, where not all were. */
  rest?: Pick<ListedEvent, 'key' | 'endTime' | 'id'>;
  /** More pass than can be put in order of their relevance. */
  isMany: boolean;
}

/** What each row of a page says; without an id where the page is empty. */
type PageRow = Partial<ListedEvent> & {
  found: number | null;
  isMany: boolean;
  restKey: Date | number | null;
  restEnd: Date;
  restId: number;
};

@Injectable()
export class EventsRepository {
  constructor(
    @InjectRepository(Event) private readonly repository: Repository<Event>,
    private readonly statements: Statements,
  ) {}

  async insert(event: NewEvent): Promise<Event> {
    return await this.repository.save(this.repository.create({ ...event, unlistedAt: null }), {
      transaction: false,
    });
  }

  async findById(id: number): Promise<EventWithSeats | undefined> {
    const [event] = await this.statements.run<EventWithSeats>(eventById, [id]);
    return event;
  }

  async setListed(id: number, isListed: boolean): Promise<void> {
    await this.statements.run(listEvent, [id, isListed]);
  }

  async list(filter: EventFilter, after: EventKey | undefined, limit: number): Promise<EventsPage> {
    const rows = await this.statements.list<PageRow>(...listEvents(filter, after, limit));
    const [{ found, isMany, restKey, restEnd, restId }] = rows as [PageRow];
    return {
      rows: rows.filter(({ id }) => id != null) as ListedEvent[],
      found: found ?? 0,
      rest: restKey === null ? undefined : { key: restKey, endTime: restEnd, id: restId },
      isMany,
    };
  }
}
