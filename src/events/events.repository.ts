import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EntityManager, Repository } from 'typeorm';
import { Statements } from '../database/statements';
import { Event } from './event.entity';
import { eventById, eventsByStart, eventsNearby } from './events.statements';
import type { Coordinates } from './haversine';

export type NewEvent = Omit<Event, 'id' | 'createdAt' | 'position'>;

export interface Seats {
  capacity: number;
  held: number;
  sold: number;
}

export type EventWithSeats = Omit<Event, 'position'> & Seats;
export type NearbyEvent = EventWithSeats & {
  distanceKm: number;
  /** Through the unit sphere; exact where the distance is rounded. */
  chord: number;
};

export interface EventFilter {
  /** Inclusive. */
  startsAfter?: Date;
  /** Exclusive. */
  startsBefore?: Date;
}

export type StartKey = [startTime: string, id: number];
export type ChordKey = [chord: number, id: number];

const START_OF_TIME = '0001-01-01T00:00:00.000Z';
const END_OF_TIME = 'infinity';

@Injectable()
export class EventsRepository {
  constructor(
    @InjectRepository(Event) private readonly repository: Repository<Event>,
    private readonly statements: Statements,
  ) {}

  /** Runs `work` in one transaction. */
  async transaction<Result>(work: (manager: EntityManager) => Promise<Result>): Promise<Result> {
    return await this.repository.manager.transaction(work);
  }

  async insert(manager: EntityManager, event: NewEvent): Promise<Event> {
    const repository = manager.withRepository(this.repository);
    return await repository.save(repository.create(event), { transaction: false });
  }

  async findById(id: number): Promise<EventWithSeats | undefined> {
    const [event] = await this.statements.run<EventWithSeats>(eventById, [id]);
    return event;
  }

  /** In the order of their start, from behind `after`. */
  async listByStart(
    filter: EventFilter,
    after: StartKey | undefined,
    limit: number,
  ): Promise<EventWithSeats[]> {
    const [time, id] = after ?? [START_OF_TIME, 0];
    // The later of the two lower bounds is the one to start from; with both in the statement the index would be
    // entered at either.
    const from =
      filter.startsAfter && filter.startsAfter > new Date(time) ? [filter.startsAfter, 0] : [time, id];
    return await this.statements.run<EventWithSeats>(eventsByStart, [
      ...from,
      filter.startsBefore ?? END_OF_TIME,
      limit,
    ]);
  }

  /** Events within the radius that have not ended, nearest first, from behind `after`. */
  async listNearby(
    center: Coordinates,
    radiusKm: number,
    after: ChordKey | undefined,
    limit: number,
  ): Promise<NearbyEvent[]> {
    return await this.statements.run<NearbyEvent>(eventsNearby, [
      center.latitude,
      center.longitude,
      radiusKm,
      ...(after ?? [-1, 0]),
      limit,
    ]);
  }
}
