import { Injectable } from '@nestjs/common';
import { issuedAtIn, organizerIn, organizerThere, type OrganizerScope } from '../database/scope';
import { Statements, type Statement } from '../database/statements';
import { Problem } from '../problems/problem';

/** SQL: whether the organizer `$2` (null: any) has `event`; `$3` is when their token was issued. */
export const IS_THEIRS = `coalesce($2::bigint IS NULL OR event.organizer_id = ${organizerThere('$2::bigint', '$3::bigint')}, false)`;

/** The values `$2` and `$3` of {@link IS_THEIRS}. */
export const valuesOf = (scope: OrganizerScope): unknown[] => [organizerIn(scope), issuedAtIn(scope)];

/**
 * Changes of what one event sells take turns, so that they count right. Reservations read the event without a lock, and
 * do not wait.
 */
const LOCK: Statement = {
  name: 'lock_event_of_organizer',
  text: `
    SELECT event.id, event.currency, quota.id AS "quotaId"
    FROM events AS event JOIN quotas AS quota ON quota.event_id = event.id AND quota.kind = 'event'
    WHERE event.id = $1 AND ${IS_THEIRS}
    FOR NO KEY UPDATE OF event`,
};

const FIND: Statement = {
  name: 'find_event_of_organizer',
  text: `
    SELECT ${IS_THEIRS} AS "isTheirs" FROM events AS event WHERE id = $1 AND (status <> 'draft' OR ${IS_THEIRS})`,
};

export interface LockedEvent {
  id: number;
  /** Null while all that it sells is free. */
  currency: string | null;
  /** That of all its places. */
  quotaId: number;
}

/** Lets organizers at what their events sell. */
@Injectable()
export class EventAccess {
  constructor(private readonly statements: Statements) {}

  /**
   * Locks an event of the organizer until the transaction ends.
   *
   * @throws {Problem} `event_not_found`, or `forbidden` where the caller sees it
   */
  async lock(eventId: number, scope: OrganizerScope): Promise<LockedEvent> {
    const [event] = await this.statements.run<LockedEvent>(LOCK, [eventId, ...valuesOf(scope)]);
    if (event) return event;
    await this.check(eventId, scope);
    throw new Problem('event_not_found');
  }

  /** @throws {Problem} `event_not_found`, or `forbidden` where the caller sees it */
  async check(eventId: number, scope: OrganizerScope): Promise<void> {
    const [event] = await this.statements.run<{ isTheirs: boolean }>(FIND, [eventId, ...valuesOf(scope)]);
    if (!event) throw new Problem('event_not_found');
    if (!event.isTheirs) throw new Problem('forbidden');
  }
}
