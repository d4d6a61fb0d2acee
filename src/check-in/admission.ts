import { Injectable } from '@nestjs/common';
import { unauthenticated } from '../auth/unauthenticated';
import { createBatcher } from '../database/batcher';
import { isUnavailable, violatedConstraint } from '../database/database-error';
import { ANSWER_WITHIN_MS, unanswered } from '../http/request-deadline';
import { batches, scans } from '../telemetry/channels';
import { CheckInsRepository, type CheckedIn } from './check-ins.repository';
import type { ScanOutcome, ScanRequest } from './scan';

/** Each try that fails means that another process got something done. */
const TRIES = 20;

/** What fails where another process was quicker with a ticket, or got the same request. */
const RACED = /^check_ins_(passage|device_nonce|user_nonce)_idx$/;

/** Decides on scans of many devices at once. */
@Injectable()
export class Admission {
  constructor(private readonly repository: CheckInsRepository) {}

  /** @throws {Problem} `unauthenticated` where the device is not good any more */
  readonly admit = createBatcher<ScanRequest, ScanOutcome>(
    (requests) => batches.tracePromise(() => this.work(requests), { name: 'check_in', requests }),
    { maxSize: 128, isFatal: isUnavailable, patienceMs: ANSWER_WITHIN_MS, tooLate: unanswered },
  );

  private async work(requests: readonly ScanRequest[]): Promise<(ScanOutcome | Error)[]> {
    const places = new Map<string, number>();
    const asked: ScanRequest[] = [];
    // What a device sends again while it waits is one scan.
    const placeOf = requests.map((request) => {
      const name = nameOf(request);
      const place = places.get(name) ?? asked.push(request) - 1;
      places.set(name, place);
      return place;
    });
    const answers = await this.checkIn(asked);
    for (const { outcome, isRepeated } of answers)
      if (outcome && !isRepeated) scans.publish({ result: outcome.result });
    return placeOf.map((place) => answers[place]?.outcome ?? unauthenticated('invalid_token'));
  }

  private async checkIn(requests: readonly ScanRequest[]): Promise<CheckedIn[]> {
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
