import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { Statements } from '../database/statements';
import { Event } from './event.entity';
import { eventById, listEvents, type EventFilter, type EventKey } from './events.statements';

export type NewEvent = Omit<Event, 'id' | 'createdAt' | 'position' | 'search' | 'organizer'>;

export interface Seats {
  capacity: number;
  held: number;
  sold: number;
}

export type EventWithSeats = Omit<Event, 'position' | 'search' | 'organizer'> & Seats;

/**
 * An event in a list: with what the list is sorted by, its distance where one was searched around a place, and how many
 * rows were found, of which only the first are read where they are long.
 */
export type ListedEvent = EventWithSeats & { key: Date | number; distanceKm?: number; found: number };

@Injectable()
export class EventsRepository {
  constructor(
    @InjectRepository(Event) private readonly repository: Repository<Event>,
    private readonly statements: Statements,
  ) {}

  async insert(event: NewEvent): Promise<Event> {
    return await this.repository.save(this.repository.create(event), { transaction: false });
  }

  async findById(id: number): Promise<EventWithSeats | undefined> {
    const [event] = await this.statements.run<EventWithSeats>(eventById, [id]);
    return event;
  }

  async list(filter: EventFilter, after: EventKey | undefined, limit: number): Promise<ListedEvent[]> {
    return await this.statements.list<ListedEvent>(...listEvents(filter, after, limit));
  }
}
