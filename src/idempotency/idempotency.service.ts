import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Semaphore, withTimeout } from 'async-mutex';
import { Problem } from '../problems/problem';
import { Settings } from '../config/settings';
import { Transactions } from '../database/transactions';
import { IdempotencyRepository } from './idempotency.repository';
import { AnswerCipher, type KeyedRequest } from './answer-cipher';
import { inProgress, KeyClaim, type Answer } from './key-claim';

/** Of the refusals, 401, 429 and 5xx say only that now is not the time. */
export const isKept = (status: number): boolean => status < 300 || [404, 409, 422].includes(status);

/**
 * Each of them has a connection to itself until it is answered, so they get no more than this of the ten there are. Callers
 * without an account get fewer, and so does what spends most of its time on hashing passwords: they wait for each other,
 * and nothing else waits for them.
 */
const AT_ONCE = { known: 4, unknown: 2, passwords: 2 };
const PATIENCE_MS = 2_000;

const PURGE_SIZE = 1_000;

/** Lets a request with an `Idempotency-Key` happen once, however often it is sent. */
@Injectable()
export class IdempotencyService {
  private readonly known = concurrencyLimit(AT_ONCE.known);
  private readonly unknown = concurrencyLimit(AT_ONCE.unknown);
  private readonly passwords = concurrencyLimit(AT_ONCE.passwords);

  constructor(
    private readonly repository: IdempotencyRepository,
    private readonly transactions: Transactions,
    private readonly settings: Settings,
  ) {}

  /**
   * Runs `work` and keeps its answer, both in one transaction; or finds the answer that is kept.
   *
   * @param by whether passwords are hashed in it
   * @param work its answer is kept; when it throws, nothing of what it did remains
   * @param refusalFor the answer to keep when `work` throws a refusal; throws what is no answer to the request itself
   * @throws {Problem} `idempotency_key_reused`, `idempotency_in_progress`, `service_unavailable`
   */
  async once(
    request: KeyedRequest,
    by: 'transaction' | 'passwords',
    work: () => Promise<Answer>,
    refusalFor: (error: unknown) => Answer,
  ): Promise<{ answer: Answer; isReplayed: boolean }> {
    const ciphers = this.ciphersOf(request);
    const turn =
      by === 'passwords' ? this.passwords : request.caller === undefined ? this.unknown : this.known;
    return await turn.runExclusive(() =>
      this.transactions.run(() => this.findOrDo(ciphers, work, refusalFor)),
    );
  }

  /**
   * Claims the key of a request that shares a statement with others, which does what `once` does.
   *
   * @param requestId what the answer names the request by
   */
  claim(request: KeyedRequest, requestId: string): KeyClaim {
    return new KeyClaim(this.ciphersOf(request), requestId);
  }

  /** @returns how many expired keys were deleted */
  async purge(): Promise<number> {
    let total = 0;
    for (let deleted = PURGE_SIZE; deleted === PURGE_SIZE; total += deleted) {
      deleted = await this.repository.deleteExpired(PURGE_SIZE);
    }
    return total;
  }

  /** One for each secret: it may have been changed within the last 24 hours. */
  private ciphersOf(request: KeyedRequest): AnswerCipher[] {
    return (this.settings.JWT_SECRET ?? []).map((secret) => new AnswerCipher(secret, request));
  }

  private async findOrDo(
    ciphers: AnswerCipher[],
    work: () => Promise<Answer>,
    refusalFor: (error: unknown) => Answer,
  ): Promise<{ answer: Answer; isReplayed: boolean }> {
    const ids = ciphers.map(({ id }) => id);
    if (!(await this.repository.lock(ids))) {
      throw inProgress();
    }
    const stored = await this.repository.find(ids);
    if (stored) {
      const cipher = ciphers.find(({ id }) => id.equals(stored.id)) as AnswerCipher;
      if (!timingSafeEqual(cipher.fingerprint, stored.fingerprint))
        throw new Problem('idempotency_key_reused');
      // A batch has worked it off before, and now it is refused before it comes to one: that is said, and not kept.
      if (!stored.answer) return { answer: await work().catch(refusalFor), isReplayed: false };
      return { answer: JSON.parse(cipher.decrypt(stored.answer)) as Answer, isReplayed: true };
    }
    // A refusal leaves nothing but its answer: a sign-up, say, learns that the e-mail is taken from a statement that failed.
    const answer = await this.transactions.savepoint(work).catch(refusalFor);
    const [cipher] = ciphers;
    if (cipher && isKept(answer.status)) {
      const { id, fingerprint } = cipher;
      await this.repository.insert({ id, fingerprint, answer: cipher.encrypt(JSON.stringify(answer)) });
    }
    return { answer, isReplayed: false };
  }
}

const concurrencyLimit = (atOnce: number) =>
  withTimeout(
    new Semaphore(atOnce),
    PATIENCE_MS,
    new Problem('service_unavailable', { headers: { 'Retry-After': '1' } }),
  );
