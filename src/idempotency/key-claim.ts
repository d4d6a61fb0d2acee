import { Problem } from '../problems/problem';
import type { AnswerCipher } from './answer-cipher';

/** An answer as it goes out. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  /** Empty where there is none. */
  body: string;
}

/** What a statement with `claimed` answers for a request with a key. */
export interface Claimed<Outcome> {
  /** Null: this request was the first, and was worked off. */
  verdict: 'replay' | 'idempotency_in_progress' | 'idempotency_key_reused' | null;
  /** What the first one came to. */
  outcome: (Outcome & { requestId: string }) | null;
  /** Instead of an outcome: the whole answer to the first one, encrypted. */
  answer: Buffer | null;
  /** The id that was found. */
  keyId: Buffer | null;
}

/** The answer while the first request with the key is worked on. */
export const inProgress = () => new Problem('idempotency_in_progress', { headers: { 'Retry-After': '1' } });

/** Thrown where the first request was answered without a batch: its answer is sent again as it is. */
export class StoredAnswer extends Error {
  constructor(readonly answer: Answer) {
    super('The request was answered before');
  }
}

/**
 * The `Idempotency-Key` of a request that shares a statement with others: the statement claims the key, does the work and
 * keeps what it came to. Nothing is locked while this process is not heard of.
 */
export class KeyClaim {
  /** A statement or a transaction decides on it, or has. */
  isSettled = false;
  /** The id of the request that got this answer first; undefined where it is this one. */
  replayOf?: string;
  /** No statement keeps what the request comes to: its answer is kept as it is. */
  isAnswerKept = false;

  /**
   * @param ciphers one for each secret, the newest first
   * @param requestId of the request that claims
   */
  constructor(
    readonly ciphers: readonly AnswerCipher[],
    readonly requestId: string,
  ) {}

  /** The same for every request with the key, of the same caller. */
  get name(): string {
    return this.ciphers[0]?.id.toString('base64') ?? '';
  }

  /**
   * @param own what the statement answered for this request, where it is the first with its key
   * @returns what the first request with the key came to, or this one where it is the first
   * @throws {Problem | StoredAnswer} `idempotency_in_progress`, `idempotency_key_reused`
   */
  settle<Outcome>(own: Outcome, { verdict, outcome, answer, keyId }: Partial<Claimed<Outcome>>): Outcome {
    this.isSettled = true;
    if (verdict === 'idempotency_in_progress') throw inProgress();
    if (verdict === 'idempotency_key_reused') throw new Problem(verdict);
    if (verdict !== 'replay') return own;
    if (!outcome) throw new StoredAnswer(this.decrypt(answer, keyId));
    this.replayOf = outcome.requestId;
    return outcome;
  }

  /** Has the whole answer kept, and a refusal like one from before any statement: for what is decided outside of batches. */
  keepAnswer(): void {
    this.isSettled = false;
    this.isAnswerKept = true;
  }

  /**
   * Has the whole answer kept in the place of the outcome that a statement kept for this request: where it shows more. Should
   * the process be killed before, the outcome is still there.
   */
  keepOwnAnswer(): void {
    if (this.replayOf === undefined) this.isAnswerKept = true;
  }

  /** Whether the answer is to be kept though there is an outcome. */
  get isOutcomeReplaced(): boolean {
    return this.isSettled && this.isAnswerKept;
  }

  private decrypt(answer?: Buffer | null, keyId?: Buffer | null): Answer {
    const cipher = this.ciphers.find(({ id }) => keyId?.equals(id));
    return JSON.parse(cipher?.decrypt(answer ?? Buffer.alloc(0)) ?? '') as Answer;
  }
}

/** The values of `claimed` and `keptOutcomes`: numbers of requests from 1 on, ids, fingerprints, ids of the requests. */
export function keyValues(claims: readonly (KeyClaim | undefined)[]): unknown[] {
  const keys = claims.flatMap((claim, i) =>
    (claim?.ciphers ?? []).map(({ id, fingerprint }, secret) => ({
      n: i + 1,
      id,
      fingerprint,
      // It is kept under the newest secret alone.
      requestId: secret === 0 ? claim?.requestId : null,
    })),
  );
  return (['n', 'id', 'fingerprint', 'requestId'] as const).map((column) => keys.map((key) => key[column]));
}

/**
 * A part of a statement: which of its requests may be worked off, as `claimed (n, verdict, outcome, answer, id)`. Nothing
 * that is locked may come before it.
 *
 * @param first the number of its first parameter; the values are those of `keyValues`
 */
export const claimed = (first: number) =>
  `claimed AS MATERIALIZED (
      SELECT * FROM claim_keys($${first}::int[], $${first + 1}::bytea[], $${first + 2}::bytea[])
    )`;

/** The verdicts on requests that are not worked off, as SQL lists them. */
export const VERDICTS = `'replay', 'idempotency_in_progress', 'idempotency_key_reused'`;

/**
 * A part of a statement, its last: keeps for 24 hours what the requests with keys came to.
 *
 * @param outcomes a query for (n, outcome), the outcome as jsonb, of requests that were worked off and are to be kept
 */
export const keptOutcomes = (first: number, outcomes: string) =>
  `kept AS (
      INSERT INTO idempotency_keys (id, fingerprint, outcome, expires_at)
      SELECT key.id, key.fingerprint, made.outcome || jsonb_build_object('requestId', key.request_id),
        now() + interval '24 hours'
      FROM unnest($${first}::int[], $${first + 1}::bytea[], $${first + 2}::bytea[], $${first + 3}::text[])
        AS key (n, id, fingerprint, request_id)
      JOIN (${outcomes}) AS made ON made.n = key.n
      WHERE key.request_id IS NOT NULL
      -- One that has expired may still be there.
      ON CONFLICT (id) DO UPDATE
      SET fingerprint = excluded.fingerprint, answer = NULL, outcome = excluded.outcome, expires_at = excluded.expires_at
    )`;
