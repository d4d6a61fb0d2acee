import { Injectable } from '@nestjs/common';
import type { OrganizerScope } from '../database/scope';
import { Statements } from '../database/statements';
import type { Quota } from '../inventory/quota.entity';
import { valuesOf } from '../event-access/event-access.service';
import {
  COUNT_QUOTAS,
  FIND_EVENT_OF_QUOTA,
  FIND_QUOTA,
  LIST_QUOTAS,
  LOCK_EVENT_OF_QUOTA,
} from './quotas.statements';

/** A quota of ticket types. */
export type QuotaView = Pick<Quota, 'id' | 'eventId' | 'name' | 'capacity' | 'held' | 'sold'>;

@Injectable()
export class QuotasRepository {
  constructor(private readonly statements: Statements) {}

  /** In the order of their ids, from behind `after` on. */
  async listByEvent(eventId: number, after: number, limit: number): Promise<QuotaView[]> {
    return await this.statements.list<QuotaView>(LIST_QUOTAS, [eventId, after, limit]);
  }

  async count(eventId: number): Promise<number> {
    const [counted] = await this.statements.run<{ number: number }>(COUNT_QUOTAS, [eventId]);
    return counted?.number ?? 0;
  }

  async find(eventId: number, id: number): Promise<QuotaView | undefined> {
    const [quota] = await this.statements.run<QuotaView>(FIND_QUOTA, [eventId, id]);
    return quota;
  }

  /** @returns undefined where it is no quota of an event of the organizer */
  async findEventId(id: number, scope: OrganizerScope): Promise<number | undefined> {
    const [event] = await this.statements.run<{ id: number }>(FIND_EVENT_OF_QUOTA, [id, ...valuesOf(scope)]);
    return event?.id;
  }

  /**
   * Locks the event of a quota until the transaction ends.
   *
   * @returns its id; undefined where it is no quota of an event of the organizer
   */
  async lockEvent(id: number, scope: OrganizerScope): Promise<number | undefined> {
    const [event] = await this.statements.run<{ id: number }>(LOCK_EVENT_OF_QUOTA, [id, ...valuesOf(scope)]);
    return event?.id;
  }
}
