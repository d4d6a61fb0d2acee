import { Injectable } from '@nestjs/common';
import { organizerScopeOf } from '../auth/caller';
import { isDevice, type GateCaller } from '../auth/device';
import { EventAccessService } from '../event-access/event-access.service';
import { Problem } from '../problems/problem';
import { Admission } from './admission';
import type { Scan, ScanOutcome, ScanRequest } from './scan';
import { TicketTokens } from './ticket-tokens';

/** Lets tickets in, each once, at any number of gates: concurrent scans share statements. */
@Injectable()
export class CheckInsService {
  constructor(
    private readonly admission: Admission,
    private readonly access: EventAccessService,
    private readonly tokens: TicketTokens,
  ) {}

  /**
   * Lets a ticket in, or out.
   *
   * @throws {Problem} `event_not_found` to those for whom this is not the gate, `forbidden`, `unauthenticated`
   */
  async checkIn(eventId: number, caller: GateCaller, scan: Scan): Promise<ScanOutcome> {
    await this.requireGate(eventId, caller);
    return await this.admission.admit(await this.requestOf(eventId, caller, scan, false));
  }

  /**
   * Works off what a device scanned without a network, in its order. None is refused: what contradicts another device is
   * kept as a conflict.
   *
   * @param scanned undefined for one that can't be read
   * @returns an outcome for each, undefined for one that can't be read
   * @throws {Problem} as `checkIn` does
   */
  async checkInLate(
    eventId: number,
    caller: GateCaller,
    scanned: readonly (Scan | undefined)[],
  ): Promise<(ScanOutcome | undefined)[]> {
    await this.requireGate(eventId, caller);
    const requests = await Promise.all(
      scanned.map(async (scan) => scan && (await this.requestOf(eventId, caller, scan, true))),
    );
    return await Promise.all(
      requests.map(async (request) => request && (await this.admission.admit(request))),
    );
  }

  /** @throws {Problem} `event_not_found`, `forbidden` */
  async requireGate(eventId: number, caller: GateCaller): Promise<void> {
    if (!isDevice(caller)) await this.access.requireOrganizer(eventId, organizerScopeOf(caller));
    else if (caller.eventId !== eventId) throw new Problem('event_not_found');
  }

  private async requestOf(
    eventId: number,
    caller: GateCaller,
    { token, ticketId, nonce, kind, scannedAt }: Scan,
    isLate: boolean,
  ): Promise<ScanRequest> {
    const claims = token === undefined ? undefined : await this.tokens.verify(token);
    return {
      eventId,
      deviceId: isDevice(caller) ? caller.deviceId : null,
      userId: isDevice(caller) ? null : caller.userId,
      nonce,
      ticketId: claims?.ticketId ?? ticketId ?? null,
      generation: claims?.generation ?? null,
      kind,
      scannedAt,
      isLate,
    };
  }
}
