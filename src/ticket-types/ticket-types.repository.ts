import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import type { OrganizerScope } from '../database/scope';
import { Statements } from '../database/statements';
import { valuesOf } from '../event-access/event-access.service';
import { TicketType } from './ticket-type.entity';
import {
  COUNT_TICKET_TYPES,
  FIND_FOREIGN_TICKET_TYPE,
  FIND_SEEN_TICKET_TYPE,
  FIND_TICKET_TYPE,
  LIST_TICKET_TYPES,
  LOCK_TICKET_TYPE,
  SEES_TICKET_TYPE,
  type TicketTypeState,
} from './ticket-types.statements';

export type NewTicketType = Omit<TicketType, 'id' | 'archivedAt' | 'createdAt'>;

/** A ticket type as it is now, by the database's clock. */
export type TicketTypeView = Omit<TicketType, 'quotaIds' | 'archivedAt'> & {
  currency: string | null;
  /** Its own or a shared quota. */
  quotaId: number | null;
  capacity: number | null;
  available: number;
  state: TicketTypeState;
};

/** What a change of a ticket type is decided on. */
export type LockedTicketType = Pick<
  TicketType,
  'id' | 'eventId' | 'price' | 'salesFrom' | 'salesUntil' | 'minPerOrder' | 'maxPerOrder'
> & { currency: string | null; eventQuotaId: number; quotaId: number | null; isQuotaOwn: boolean | null };

/** What a list of types is sorted by, of the last row of a page. */
export type TicketTypeKey = [position: number, id: number];

@Injectable()
export class TicketTypesRepository {
  constructor(
    @InjectRepository(TicketType) private readonly repository: Repository<TicketType>,
    private readonly statements: Statements,
  ) {}

  /** @returns the type's id */
  async insert(type: NewTicketType): Promise<number> {
    const { id } = await this.repository.save(this.repository.create(type), { transaction: false });
    return id;
  }

  async update(id: number, changes: Partial<TicketType>): Promise<void> {
    if (Object.keys(changes).length > 0) await this.repository.update({ id }, changes);
  }

  async archive(id: number): Promise<void> {
    await this.repository.update({ id }, { archivedAt: () => 'now()' });
  }

  async find(id: number): Promise<TicketTypeView> {
    const [type] = await this.statements.run<TicketTypeView>(FIND_TICKET_TYPE, [id]);
    return type as TicketTypeView;
  }

  /** @returns undefined where the caller does not see it */
  async findSeen(id: number, scope: OrganizerScope): Promise<TicketTypeView | undefined> {
    const values = [id, ...valuesOf(scope)];
    return (await this.statements.run<TicketTypeView>(FIND_SEEN_TICKET_TYPE, values))[0];
  }

  /** @returns undefined where the caller does not see the event */
  async listByEvent(
    eventId: number,
    scope: OrganizerScope,
    [position, id]: TicketTypeKey,
    limit: number,
  ): Promise<{ isTheirs: boolean; types: TicketTypeView[] } | undefined> {
    const values = [eventId, ...valuesOf(scope), position, id, limit];
    const rows = await this.statements.list<TicketTypeView & { isTheirs: boolean }>(
      LIST_TICKET_TYPES,
      values,
    );
    const [first] = rows;
    if (!first) return undefined;
    return { isTheirs: first.isTheirs, types: rows.filter((row) => (row.id as number | null) !== null) };
  }

  /** Locks a type of the organizer, and its event, until the transaction ends. */
  async lock(id: number, scope: OrganizerScope): Promise<LockedTicketType | undefined> {
    const [type] = await this.statements.run<LockedTicketType>(LOCK_TICKET_TYPE, [id, ...valuesOf(scope)]);
    return type;
  }

  /** Whether all see it, as long as they don't want to change it. */
  async isSeen(id: number): Promise<boolean> {
    return (await this.statements.run(SEES_TICKET_TYPE, [id])).length > 0;
  }

  /** @returns `all`: together with those that are archived */
  async count(eventId: number): Promise<{ live: number; all: number }> {
    const [counted] = await this.statements.run<{ live: number; all: number }>(COUNT_TICKET_TYPES, [eventId]);
    return counted ?? { live: 0, all: 0 };
  }

  /**
   * @param known ids that are not looked at
   * @returns the place in `ids` of the first that is no type of the event; null where all are
   */
  async findForeign(eventId: number, ids: number[], known: number[]): Promise<number | null> {
    const [found] = await this.statements.run<{ at: number | null }>(FIND_FOREIGN_TICKET_TYPE, [
      eventId,
      ids,
      known,
    ]);
    return found?.at ?? null;
  }
}
