import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { issuedAtIn, organizerIn, type OrganizerScope } from '../database/scope';
import { Statements } from '../database/statements';
import type { MetadataChanges } from '../http/metadata';
import { Event } from './event.entity';
import { eventById, listEvent, lockEvent, type EventFilter, type EventKey } from './events.statements';
import { listEvents } from './list-events';

export type NewEvent = Omit<
  Event,
  'id' | 'createdAt' | 'unlistedAt' | 'position' | 'search' | 'organizer' | 'version'
>;

/** What an organizer changes; what is left out stays as it is. */
export type EventChanges = Partial<
  Omit<NewEvent, 'organizerId' | 'metadata'> & { metadata: MetadataChanges | null; capacity: number }
>;

export interface Seats {
  capacity: number;
  held: number;
  sold: number;
}

type EventRow = Omit<Event, 'position' | 'search' | 'organizer'>;

export type EventWithSeats = EventRow & Seats;

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

  async findById(id: number, scope: OrganizerScope): Promise<EventWithSeats | undefined> {
    const values = [id, organizerIn(scope), issuedAtIn(scope)];
    const [event] = await this.statements.run<EventWithSeats>(eventById, values);
    return event;
  }

  async setListed(id: number, isListed: boolean): Promise<void> {
    await this.statements.change(listEvent, [id, isListed]);
  }

  /** Keeps an event as it is until the transaction ends; `isTheirs`: within the scope. */
  async lock(id: number, scope: OrganizerScope): Promise<(EventRow & { isTheirs: boolean }) | undefined> {
    const values = [id, organizerIn(scope), issuedAtIn(scope)];
    const [event] = await this.statements.run<EventRow & { isTheirs: boolean }>(lockEvent, values);
    return event;
  }

  /** Changes the fields, and the version with them. */
  async update(id: number, changes: Partial<NewEvent>): Promise<void> {
    await this.repository.update({ id }, { ...changes, version: () => 'version + 1' });
  }

  async delete(id: number): Promise<void> {
    await this.repository.delete({ id });
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
