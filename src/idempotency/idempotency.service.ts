import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Semaphore, withTimeout } from 'async-mutex';
import { Problem } from '../problems/problem';
import { Settings } from '../config/settings';
import { Transactions } from '../database/transactions';
import { unanswered } from '../http/request-deadline';
import { IdempotencyRepository } from './idempotency.repository';
import { AnswerCipher, type KeyedRequest } from './answer-cipher';
import { inProgress, KeyClaim, type Answer } from './key-claim';

/** Of the refusals, 401, 429 and 5xx say only that now is not the time. */
export const isKept = (status: number): boolean => status < 300 || [404, 409, 422].includes(status);

/** Callers without an account get no more than this of the transactions that there may be at once. */
const UNKNOWN_AT_ONCE = 2;
const PATIENCE_MS = 2_000;

const PURGE_SIZE = 1_000;

/** Lets a request with an `Idempotency-Key` happen once, however often it is sent. */
@Injectable()
export class IdempotencyService {
  private readonly turnsOfUnknown = withTimeout(new Semaphore(UNKNOWN_AT_ONCE), PATIENCE_MS, unanswered());

  constructor(
    private readonly repository: IdempotencyRepository,
    private readonly transactions: Transactions,
    private readonly settings: Settings,
  ) {}

  /**
   * Finds the answer that is kept, without a transaction: a request that was answered before need not be prepared again.
   *
   * @throws {Problem} `idempotency_key_reused`
   */
  async find({ ciphers }: KeyClaim): Promise<Answer | undefined> {
    return (await this.findStored(ciphers))?.answer;
  }

  /**
   * Runs `work` and keeps its answer, both in one transaction; or finds the answer that is kept.
   *
   * @param isKnown whether the caller has an account
   * @param work its answer is kept; when it throws, nothing of what it did remains
   * @param refusalFor the answer to keep when `work` throws a refusal; throws what is no answer to the request itself
   * @throws {Problem} `idempotency_key_reused`, `idempotency_in_progress`; as `Transactions.run`
   */
  async once(
    claim: KeyClaim,
    isKnown: boolean,
    work: () => Promise<Answer>,
    refusalFor: (error: unknown) => Answer,
  ): Promise<{ answer: Answer; isReplayed: boolean }> {
    const run = () => this.transactions.run(() => this.findOrDo(claim, work, refusalFor));
    return await (isKnown ? run() : this.turnsOfUnknown.runExclusive(run));
  }

  /**
   * The key of a request, which a batch claims in its statement, and `once` in its transaction.
   *
   * @param requestId what the answer names the request by
   */
  claim(request: KeyedRequest, requestId: string): KeyClaim {
    // One for each secret: it may have been changed within the last 24 hours.
    const ciphers = (this.settings.JWT_SECRET ?? []).map((secret) => new AnswerCipher(secret, request));
    return new KeyClaim(ciphers, requestId);
  }

  /** @returns how many expired keys were deleted */
  async purge(): Promise<number> {
    let total = 0;
    for (let deleted = PURGE_SIZE; deleted === PURGE_SIZE; total += deleted) {
      deleted = await this.repository.deleteExpired(PURGE_SIZE);
    }
    return total;
  }

  private async findOrDo(
    { ciphers, isOutcomeReplaced }: KeyClaim,
    work: () => Promise<Answer>,
    refusalFor: (error: unknown) => Answer,
  ): Promise<{ answer: Answer; isReplayed: boolean }> {
    if (!(await this.repository.lock(ciphers.map(({ id }) => id)))) throw inProgress();
    const stored = await this.findStored(ciphers);
    if (stored?.answer) return { answer: stored.answer, isReplayed: true };
    // A batch has worked it off before, and now it is refused before it comes to one: that is said, and not kept.
    if (stored && !isOutcomeReplaced) return { answer: await work().catch(refusalFor), isReplayed: false };
    // A refusal leaves nothing but its answer: a sign-up, say, learns that the e-mail is taken from a statement that failed.
    const answer = await this.transactions.savepoint(work).catch(refusalFor);
    const [cipher] = ciphers;
    if (cipher && isKept(answer.status)) {
      const { id, fingerprint } = cipher;
      await this.repository.insert({ id, fingerprint, answer: cipher.encrypt(JSON.stringify(answer)) });
    }
    return { answer, isReplayed: false };
  }

  /**
   * @returns undefined where none is stored; an object without an answer where there is but an outcome
   * @throws {Problem} `idempotency_key_reused`
   */
  private async findStored(ciphers: readonly AnswerCipher[]): Promise<{ answer?: Answer } | undefined> {
    const stored = await this.repository.find(ciphers.map(({ id }) => id));
    if (!stored) return undefined;
    const cipher = ciphers.find(({ id }) => id.equals(stored.id)) as AnswerCipher;
    if (!timingSafeEqual(cipher.fingerprint, stored.fingerprint)) throw new Problem('idempotency_key_reused');
    return stored.answer ? { answer: JSON.parse(cipher.decrypt(stored.answer)) as Answer } : {};
  }
}
