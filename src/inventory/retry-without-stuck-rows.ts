import { isUnavailable, isLockTimeout } from '../database/database-error';
import { ANSWER_WITHIN_MS, unanswered } from '../http/request-deadline';

/** How long a batch of many waits for a lock before it is asked which rows are stuck: longer than a rival's statement takes. */
export const PATIENCE_MS = 100;
/**
 * How long a lane waits. A row that others wait for takes two locks, each with this much time: together they leave room
 * within the time in which everybody gets an answer.
 */
export const LANE_PATIENCE_MS = 1_000;

export const BATCH = {
  maxSize: 128,
  isFatal: isUnavailable,
  patienceMs: ANSWER_WITHIN_MS,
  tooLate: unanswered,
};

/** A lane that works takes a connection, of the ten there are. */
export const LANES = { ...BATCH, atOnce: 2, turnMs: 300 };

const TRIES = 3;

export interface WorkAround<Request, Answer> {
  /** Has no effect at all when it fails for want of a lock. */
  work: (requests: Request[]) => Promise<Answer[]>;
  /** Finds out what keeps these from their locks. */
  look: (requests: Request[]) => Promise<void>;
  isStuck: (request: Request) => boolean;
}

/**
 * Works off all requests but those that need something which somebody keeps locked.
 *
 * @returns an answer per request, undefined for those left out
 */
export async function workAround<Request, Answer>(
  requests: readonly Request[],
  { work, look, isStuck }: WorkAround<Request, Answer>,
): Promise<(Answer | undefined)[]> {
  const answers = Array.from<Answer | undefined>({ length: requests.length });
  let rest = [...requests.entries()];
  for (let tries = 0; tries < TRIES && rest.length > 0; tries++) {
    const some = rest.map(([, request]) => request);
    try {
      const found = await work(some);
      rest.forEach(([i], k) => (answers[i] = found[k]));
      break;
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      await look(some);
      rest = rest.filter(([, request]) => !isStuck(request));
    }
  }
  return answers;
}
