import { Injectable } from '@nestjs/common';
import type { OrganizerScope } from '../database/scope';
import { Statements } from '../database/statements';
import { EventAccessService } from '../event-access/event-access.service';
import { MAX_ID } from '../http/fields';
import { isId, ofList, pageOf, sortKeyOf, type Page, type PageQuery } from '../http/page';
import { LIST_CHECK_INS, LIST_CONFLICTS } from './check-in-log.statements';
import type { CheckInKind, ScanResult } from './scan-result';

/** A scan that is kept. */
export interface CheckInView {
  id: number;
  result: ScanResult;
  kind: CheckInKind;
  nonce: string;
  scannedAt: Date;
  receivedAt: Date;
  ticketId: number | null;
  typeName: string | null;
  attendeeName: string | null;
  deviceId: number | null;
  deviceName: string | null;
  userId: number | null;
  earlierScannedAt: Date | null;
  earlierDeviceId: number | null;
  earlierDeviceName: string | null;
}

/** All that was scanned at a gate, for the organizer. */
@Injectable()
export class CheckInLogService {
  constructor(
    private readonly statements: Statements,
    private readonly access: EventAccessService,
  ) {}

  /**
   * The check-ins of an event, newest first.
   *
   * @throws {Problem} `event_not_found`, `forbidden`
   */
  async listByEvent(
    eventId: number,
    onlyConflicts: boolean,
    scope: OrganizerScope,
    query: PageQuery,
  ): Promise<Page<CheckInView>> {
    await this.access.requireOrganizer(eventId, scope);
    const list = ofList(query, 'check-ins', eventId);
    const [before] = sortKeyOf<[id: number]>(list, isId) ?? [MAX_ID];
    const statement = onlyConflicts ? LIST_CONFLICTS : LIST_CHECK_INS;
    const rows = await this.statements.list<CheckInView>(statement, [eventId, before, query.limit + 1]);
    return pageOf(rows, list, ({ id }) => [id]);
  }
}
