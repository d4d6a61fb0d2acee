import { Injectable } from '@nestjs/common';
import { issuedAtIn, organizerIn, organizerThere, type OrganizerScope } from '../database/scope';
import { Statements, type Statement } from '../database/statements';
import { Problem } from '../problems/problem';

/** SQL: whether the organizer `$2` (null: any) has the event of that row; `$3` is when their token was issued. */
export const isTheirs = (event: string) =>
  `coalesce($2::bigint IS NULL OR ${event}.organizer_id = ${organizerThere('$2::bigint', '$3::bigint')}, false)`;

export const IS_THEIRS = isTheirs('event');

/** The values `$2` and `$3` of {@link isTheirs}. */
export const valuesOf = (scope: OrganizerScope): unknown[] => [organizerIn(scope), issuedAtIn(scope)];

/** What those who work for an event need to know of it. */
export interface OrganizedEvent {
  currency: string | null;
  timezone: string;
}

export interface LockedEvent {
  id: number;
  /** Null while all that it sells is free. */
  currency: string | null;
  /** That of all its places. */
  quotaId: number;
}

/** Lets only the organizer of an event, and an admin, do what is theirs to do. */
@Injectable()
export class EventAccessService {
  constructor(private readonly statements: Statements) {}

  /** @throws {Problem} `event_not_found`; `forbidden` to those who see the event, and are not its organizer */
  async requireOrganizer(eventId: number, scope: OrganizerScope): Promise<OrganizedEvent> {
    const values = [eventId, ...valuesOf(scope)];
    const [event] = await this.statements.run<OrganizedEvent & { isTheirs: boolean }>(FIND, values);
    if (!event) throw new Problem('event_not_found');
    if (!event.isTheirs) throw new Problem('forbidden');
    return event;
  }

  /**
   * Locks an event of the organizer until the transaction ends.
   *
   * @throws {Problem} as `requireOrganizer`
   */
  async lock(eventId: number, scope: OrganizerScope): Promise<LockedEvent> {
    const [event] = await this.statements.run<LockedEvent>(LOCK, [eventId, ...valuesOf(scope)]);
    if (event) return event;
    await this.requireOrganizer(eventId, scope);
    throw new Problem('event_not_found');
  }
}

const FIND: Statement = {
  name: 'find_organized_event',
  text: `
    SELECT currency, timezone, ${IS_THEIRS} AS "isTheirs" FROM events AS event
    WHERE id = $1 AND (status <> 'draft' OR ${IS_THEIRS})`,
};

/**
 * Changes of what one event sells take turns, so that they count right. Reservations read the event without a lock, and
 * do not wait.
 */
const LOCK: Statement = {
  name: 'lock_organized_event',
  text: `
    SELECT event.id, event.currency, quota.id AS "quotaId"
    FROM events AS event JOIN quotas AS quota ON quota.event_id = event.id AND quota.kind = 'event'
    WHERE event.id = $1 AND ${IS_THEIRS}
    FOR NO KEY UPDATE OF event`,
};
