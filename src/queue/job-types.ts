/** The queue that wakes workers when holds fall due, or the outbox has something for them. */
export const EXPIRATION_QUEUE = 'expiration';

/** Before the name of every key in Redis: several installations may share one. */
export const redisPrefix = (installation: string): string => `tixxety:${installation}`;

/** Releases everything that is due when it runs. */
export const RELEASE_JOB = 'release';

/** Works off what the outbox has when it runs. */
export const RELAY_JOB = 'relay';

export interface ReleaseJob {
  /** The end of the interval whose holds this job is for; for people who look at the queue. */
  dueAt: string;
  /** The trace (W3C Trace Context) of the reservation that sent it, where traces are on. */
  traceparent?: string;
}
