import { Injectable } from '@nestjs/common';
import { unauthenticated } from '../auth/unauthenticated';
import { createBatcher } from '../database/batcher';
import { isUnavailable, violatedConstraint } from '../database/database-error';
import { ANSWER_WITHIN_MS, unanswered } from '../http/request-deadline';
import { batches, scans } from '../telemetry/channels';
import { CheckInsRepository, type NewCheckIn, type Scanned } from './check-ins.repository';
import { decide, type Passage } from './decide';
import type { ScanOutcome, ScanRequest } from './scan';

/** Each try that fails means that another process got something done. */
const TRIES = 20;

/** What fails where another process was quicker with a ticket, or got the same request. */
const RACED = /^check_ins_(passage|device_nonce|user_nonce)_idx$/;

interface Answer {
  outcome: ScanOutcome | undefined;
  /** Undefined where nothing is to be kept: it was sent before, or its device is not good. */
  checkIn?: NewCheckIn;
}

/**
 * Decides on scans of many devices at once. What there is to know is read without a lock: of processes that let the same
 * ticket in, the unique index of passages fails all but one, and these look again.
 */
@Injectable()
export class Admission {
  constructor(private readonly repository: CheckInsRepository) {}

  /** @throws {Problem} `unauthenticated` where the device is not good any more */
  readonly admit = createBatcher<ScanRequest, ScanOutcome>(
    (requests) => batches.tracePromise(() => this.work(requests), { name: 'check_in', requests }),
    { maxSize: 128, isFatal: isUnavailable, patienceMs: ANSWER_WITHIN_MS, tooLate: unanswered },
  );

  private async work(requests: readonly ScanRequest[]): Promise<(ScanOutcome | Error)[]> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.tryToWork(requests);
      } catch (error) {
        if (tries === TRIES || !RACED.test(violatedConstraint(error) ?? '')) throw error;
      }
    }
  }

  private async tryToWork(requests: readonly ScanRequest[]): Promise<(ScanOutcome | Error)[]> {
    const found = await this.repository.find(requests);
    /** What this batch makes of tickets and nonces: its scans follow each other. */
    const passages = new Map<number, Passage>();
    const answered = new Map<string, Answer>();
    const answers = requests.map((request, i) => {
      const name = nameOf(request);
      const answer = answered.get(name) ?? answerTo(request, found[i] as Scanned, passages);
      answered.set(name, answer);
      return answer;
    });
    const checkIns = [...answered.values()].flatMap(({ checkIn }) => checkIn ?? []);
    await this.repository.add(checkIns);
    for (const { result } of checkIns) scans.publish({ result });
    return answers.map(({ outcome }) => outcome ?? unauthenticated('invalid_token'));
  }
}

/** @param passages those of the same batch, by their tickets; gets the one of this scan */
function answerTo(request: ScanRequest, found: Scanned, passages: Map<number, Passage>): Answer {
  const { id, now, ticket, keptResult } = found;
  if (!found.isKnown) return { outcome: undefined };
  if (keptResult !== null) return { outcome: { result: keptResult, ticket, earlier: earlierIn(found.last) } };
  const last = (ticket && passages.get(ticket.id)) ?? found.last;
  const { result, passage } = decide(request, ticket, last);
  const isOurs = ticket?.eventId === request.eventId;
  const scannedAt = request.scannedAt && request.scannedAt < now ? request.scannedAt : now;
  if (passage !== null && ticket) {
    const { deviceId, userId } = request;
    passages.set(ticket.id, { id, passage, scannedAt, deviceId, deviceName: found.deviceName, userId });
  }
  const isRepetition =
    passage === null && (result === 'already_in' || result === 'conflict' || result === 'left');
  const earlier = isRepetition ? last : null;
  return {
    outcome: { result, ticket: isOurs ? ticket : null, earlier: earlierIn(earlier) },
    checkIn: {
      id,
      eventId: request.eventId,
      deviceId: request.deviceId,
      userId: request.userId,
      nonce: request.nonce,
      ticketId: isOurs ? ticket.id : null,
      kind: request.kind,
      result,
      passage,
      scannedAt,
      receivedAt: now,
      earlierId: earlier?.id ?? null,
    },
  };
}

const earlierIn = (last: Passage | null): ScanOutcome['earlier'] =>
  last && {
    scannedAt: last.scannedAt,
    device: last.deviceId === null ? null : { id: last.deviceId, name: last.deviceName ?? '' },
  };

const nameOf = ({ eventId, deviceId, userId, nonce }: ScanRequest) =>
  `${deviceId} ${userId} ${eventId} ${nonce}`;
