import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { isDevice, type GateCaller } from '../auth/device';
import { unauthenticated } from '../auth/unauthenticated';
import type { TixxetyDataSource } from '../database/tixxety-data-source';
import { MAX_ID } from '../http/fields';
import { invalid, Problem } from '../problems/problem';
import { CheckInsService } from './check-ins.service';
import { GateRepository, type GateAttendee, type GateView, type TicketPosition } from './gate.repository';
import { TicketKeys, type PublicTicketKey } from './ticket-keys';

/** What a device wants to hear. */
export interface GateQuery {
  /** Where it left off; undefined: from the beginning. */
  cursor?: string;
  /** How many of each list. */
  limit: number;
  withAttendees: boolean;
}

/** All that a device needs to work without a network, or a part of it. */
export interface GatePage {
  gate: GateView;
  keys: PublicTicketKey[];
  /** Tickets that are not let in. */
  void: number[];
  /** Tickets that are let in, with the code of one generation alone. */
  reissued: { ticketId: number; generation: number }[];
  attendees?: GateAttendee[];
  cursor: string;
  /** More follows from the cursor on. */
  isMore: boolean;
}

/** Where a device left off: in the changes, and in the attendees while it is not through with them. */
interface Position {
  change: readonly [changedIn: number, ticketId: number];
  attendee?: TicketPosition;
}

const BEGINNING: Position = { change: [0, 0] };
const END: TicketPosition = [MAX_ID, MAX_ID];

/** What the devices of an event download before they can go on without a network. */
@Injectable()
export class GateService {
  constructor(
    private readonly repository: GateRepository,
    private readonly checkIns: CheckInsService,
    private readonly keys: TicketKeys,
    @Inject(DataSource) private readonly database: TixxetyDataSource,
  ) {}

  /** @throws {Problem} `event_not_found`, `forbidden`, `unauthenticated`; `validation_failed` for a cursor that is none */
  async download(eventId: number, caller: GateCaller, query: GateQuery): Promise<GatePage> {
    await this.checkIns.requireGate(eventId, caller);
    const gate = await this.repository.find(eventId, isDevice(caller) ? caller.deviceId : null);
    if (!gate) throw new Problem('event_not_found');
    if (!gate.isKnown) throw unauthenticated('invalid_token');
    const position = this.positionIn(query.cursor, gate);
    const changes = await this.repository.listChanges(eventId, position.change, query.limit + 1);
    const shown = changes.slice(0, query.limit);
    const last = changes.length > shown.length ? shown.at(-1) : undefined;
    const attendees = query.withAttendees
      ? await this.repository.listGateAttendees(eventId, position.attendee ?? [0, 0], query.limit)
      : undefined;
    const isMore = last !== undefined || attendees?.next !== undefined;
    const isNothing = changes.length === 0 && position.attendee === undefined && position !== BEGINNING;
    const change = last
      ? ([last.changedIn, last.ticketId] as const)
      : isNothing
        ? position.change
        : ([gate.openFrom - 1, MAX_ID] as const);
    return {
      gate,
      keys: await this.keys.published(),
      void: shown.filter(({ isGood }) => !isGood).map(({ ticketId }) => ticketId),
      reissued: shown.filter(({ isGood }) => isGood),
      ...(attendees && { attendees: attendees.rows }),
      cursor: this.cursorOf({ change, ...(isMore && attendees && { attendee: attendees.next ?? END }) }),
      isMore,
    };
  }

  /**
   * Of another installation's transactions, and of those that a restored database is yet to have again, nothing can be
   * said: the device begins anew.
   */
  private positionIn(cursor: string | undefined, { nextIs }: GateView): Position {
    if (cursor === undefined) return BEGINNING;
    const [installation, ...numbers] = partsOf(cursor);
    if (
      !numbers.every((number) => Number.isSafeInteger(number) && Number(number) >= 0) ||
      ![2, 4].includes(numbers.length)
    )
      throw invalid('/cursor', 'must be a cursor of this gate');
    const [changedIn = 0, ticketId = 0, orderId, attendeeId] = numbers as number[];
    if (installation !== this.database.installation || changedIn > nextIs) return BEGINNING;
    return {
      change: [changedIn, ticketId],
      ...(orderId !== undefined && attendeeId !== undefined && { attendee: [orderId, attendeeId] }),
    };
  }

  private cursorOf({ change, attendee = [] as never }: Position): string {
    return Buffer.from(JSON.stringify([this.database.installation, ...change, ...attendee])).toString(
      'base64url',
    );
  }
}

function partsOf(cursor: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parts) ? parts : [];
  } catch {
    return [];
  }
}
