import { Injectable } from '@nestjs/common';
import { organizerScopeOf } from '../auth/caller';
import { isDevice, type GateCaller } from '../auth/device';
import { unauthenticated } from '../auth/unauthenticated';
import { createBatcher } from '../database/batcher';
import { isUnavailable, violatedConstraint } from '../database/database-error';
import { EventAccessService } from '../events/event-access.service';
import { ANSWER_WITHIN_MS, unanswered } from '../http/request-deadline';
import { Problem } from '../problems/problem';
import { batches, scans } from '../telemetry/channels';
import { CheckInsRepository, type ScanAnswer } from './check-ins.repository';
import type { Scan, ScanOutcome, ScanRequest } from './scan';
import { TicketTokens } from './ticket-tokens';

/** Each try that fails means that another process got something done. */
const TRIES = 20;

/** What fails where another process was quicker with a ticket, or got the same request. */
const RACED = /^check_ins_.*(passage|nonce)_idx$/;

/** Lets tickets in, each once, at any number of gates: concurrent scans share statements. */
@Injectable()
export class CheckInsService {
  constructor(
    private readonly repository: CheckInsRepository,
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
    return await this.together(await this.requestOf(eventId, caller, scan, false));
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
    return await Promise.all(requests.map(async (request) => request && (await this.together(request))));
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
      scannedAt: scannedAt ?? null,
      isLate,
    };
  }

  private readonly together = createBatcher<ScanRequest, ScanOutcome>(
    (requests) => batches.tracePromise(() => this.work(requests), { name: 'check_in', requests }),
    { maxSize: 128, isFatal: isUnavailable, patienceMs: ANSWER_WITHIN_MS, tooLate: unanswered },
  );

  private async work(requests: readonly ScanRequest[]): Promise<(ScanOutcome | Error)[]> {
    // The same request may come twice at once.
    const first = new Map<string, ScanRequest>();
    for (const request of requests) if (!first.has(nameOf(request))) first.set(nameOf(request), request);
    const answers = await this.tryToWork([...first.values()]);
    const answerOf = new Map([...first.keys()].map((name, i) => [name, answers[i]]));
    for (const answer of answers) if (answer && !answer.isRepeated) scans.publish({ result: answer.result });
    return requests.map((request) => answerOf.get(nameOf(request)) ?? unauthenticated('invalid_token'));
  }

  private async tryToWork(requests: readonly ScanRequest[]): Promise<(ScanAnswer | undefined)[]> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.repository.checkIn(requests);
      } catch (error) {
        if (tries === TRIES || !RACED.test(violatedConstraint(error) ?? '')) throw error;
      }
    }
  }
}

const nameOf = ({ eventId, deviceId, userId, nonce }: ScanRequest) =>
  `${deviceId} ${userId} ${eventId} ${nonce}`;
