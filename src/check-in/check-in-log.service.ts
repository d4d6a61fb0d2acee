import { Injectable } from '@nestjs/common';
import type { OrganizerScope } from '../database/scope';
import { Statements } from '../database/statements';
import { EventAccessService } from '../event-access/event-access.service';
import { MAX_ID } from '../http/fields';
import { isId, pageOf, sortKeyOf, type Page, type PageQuery } from '../http/page';
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
    const [before] = sortKeyOf<[id: number]>(query, isId) ?? [MAX_ID];
    const list = onlyConflicts ? LIST_CONFLICTS : LIST_CHECK_INS;
    const rows = await this.statements.list<CheckInView>(list, [eventId, before, query.limit + 1]);
    return pageOf(rows, query, ({ id }) => [id]);
  }
}
