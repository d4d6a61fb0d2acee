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

/** Where a device left off. */
interface Position {
  change: readonly [changedIn: number, ticketId: number];
  /**
   * In the midst of pages: from which transaction on there were some, when the first page was made, that were not over. What
   * they change may stand before the pages that follow, so that the next download begins there.
   */
  floor?: number;
  /** In the midst of pages with attendees. */
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
    const attendees = query.withAttendees
      ? await this.repository.listGateAttendees(eventId, position.attendee ?? [0, 0], query.limit)
      : undefined;
    const isMore = changes.length > shown.length || attendees?.next !== undefined;
    const last = shown.at(-1);
    const passed = last ? ([last.changedIn, last.ticketId] as const) : position.change;
    const floor = position.floor ?? gate.openFrom;
    const isNothingNew = !last && position.floor === undefined && position !== BEGINNING;
    const next: Position = isMore
      ? { change: passed, floor, ...(attendees && { attendee: attendees.next ?? END }) }
      : { change: isNothingNew ? passed : [floor - 1, MAX_ID] };
    return {
      gate,
      keys: await this.keys.published(),
      void: shown.filter(({ isGood }) => !isGood).map(({ ticketId }) => ticketId),
      reissued: shown.filter(({ isGood }) => isGood),
      ...(attendees && { attendees: attendees.rows }),
      cursor: this.cursorOf(next),
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
    if (!numbers.every(isCount) || ![2, 3, 5].includes(numbers.length))
      throw invalid('/cursor', 'must be a cursor of this gate');
    const [changedIn = 0, ticketId = 0, floor, orderId, attendeeId] = numbers;
    if (installation !== this.database.installation || Math.min(changedIn, floor ?? changedIn) > nextIs)
      return BEGINNING;
    return {
      change: [changedIn, ticketId],
      ...(floor !== undefined && { floor }),
      ...(orderId !== undefined && attendeeId !== undefined && { attendee: [orderId, attendeeId] }),
    };
  }

  private cursorOf({ change, floor, attendee }: Position): string {
    const parts = [
      this.database.installation,
      ...change,
      ...(floor === undefined ? [] : [floor]),
      ...(attendee ?? []),
    ];
    return Buffer.from(JSON.stringify(parts)).toString('base64url');
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function partsOf(cursor: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parts) ? parts : [];
  } catch {
    return [];
  }
}
