import { Injectable } from '@nestjs/common';
import { issuedAtIn, organizerIn, organizerThere, type OrganizerScope } from '../database/scope';
import { Statements, type Statement } from '../database/statements';
import { Problem } from '../problems/problem';

/** What those who work for an event need to know of it. */
export interface OrganizedEvent {
  currency: string | null;
  timezone: string;
}

/** Lets only the organizer of an event, and an admin, do what is theirs to do. */
@Injectable()
export class EventAccessService {
  constructor(private readonly statements: Statements) {}

  /** @throws {Problem} `event_not_found`; `forbidden` to those who see the event, and are not its organizer */
  async requireOrganizer(eventId: number, scope: OrganizerScope): Promise<OrganizedEvent> {
    const values = [eventId, organizerIn(scope), issuedAtIn(scope)];
    const [event] = await this.statements.run<OrganizedEvent & { isTheirs: boolean; isPublic: boolean }>(
      FIND_EVENT,
      values,
    );
    if (!event || !(event.isTheirs || event.isPublic)) throw new Problem('event_not_found');
    if (!event.isTheirs) throw new Problem('forbidden');
    return event;
  }
}

const FIND_EVENT: Statement = {
  name: 'find_organized_event',
  text: `
    SELECT currency, timezone, status <> 'draft' AS "isPublic",
      $2::bigint IS NULL OR coalesce(organizer_id = caller.id, false) AS "isTheirs"
    FROM events, (SELECT ${organizerThere('$2::bigint', '$3::bigint')} AS id) AS caller
    WHERE events.id = $1`,
};
