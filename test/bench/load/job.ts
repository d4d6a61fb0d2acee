/** Ids one after the other. */
export interface Ids {
  first: number;
  count: number;
}

/** The id at a place between 0 and 1 of the range, such as `Math.random()`. */
export const idAt = ({ first, count }: Ids, place: number) => first + Math.floor(place * count);

/** The user who holds the ticket at a place, from 0 on, among those of `addHolds`: each in turn, but no two neighbours. */
export const holderAt = ({ first, count }: Ids, place: number) => first + ((place * HOLDER_STEP) % count);
/** A prime, so that each user's turn comes. */
export const HOLDER_STEP = 7_919;

/** Requests, described so that they can be sent to another process. */
export type Requests =
  /** A random user reserves a ticket of a random event, each under a key of its own where `isKeyed`; `most` of them. */
  | { kind: 'reserve'; users: Ids; events: Ids; most?: number; isKeyed?: boolean }
  /** Each ticket of `addHolds` is paid once, by the user who holds it. */
  | { kind: 'pay'; tickets: Ids; users: Ids }
  /** A random user orders 1 to 8 tickets of random types of a random event, each under a key of its own where `isKeyed`. */
  | { kind: 'order'; users: Ids; events: Ids; types: Ids; typesPerEvent: number; isKeyed?: boolean }
  /** Each order of `addOrders` is paid once, by the user who holds it; `codeKey` in hex. */
  | { kind: 'pay-order'; orders: Ids; users: Ids; codeKey: string; method?: string; expected?: string[] }
  /** A random user orders 1 to 8 tickets of a random type, and then pays the order: by `method` where it has a price. */
  | { kind: 'purchase'; users: Ids; events: Ids; types: Ids; typesPerEvent: number; method?: string }
  /** Each body once, by each caller in turn. */
  | { kind: 'post'; path: string; bodies: string[]; tokens: string[] }
  /** The payment sandbox tells of one of these payments, each time in an event that was not sent before. */
  | { kind: 'event'; payments: string[]; secret: string; type: string }
  /** Each address in turn, again and again. */
  | { kind: 'get'; paths: string[] }
  /** Good ones and poisoned ones, in random order; `most` of them, where it is given. */
  | { kind: 'mixed'; cases: MixedCase[]; most?: number };

export interface MixedCase {
  /** The body of a reservation; a range stands for a random id of it. */
  body: { user_id: Ids | number | string; event_id: Ids | number };
  /** What may be answered, such as `201` or `409 event_sold_out`. */
  expected: string[];
  weight: number;
}

/** So long that no hold of one measurement ends in the midst of another. */
export const LONG_HOLD_SECONDS = 86_400;

/** What a load process is to do. */
export interface Job {
  /** Where to: an API by HTTP, or straight to the database with this statement per reservation. */
  target: { url: string } | { databaseUrl: string; statement: 'ours' | 'simple' };
  connections: number;
  requests: Requests;
  /** Requests sent per second, evenly; left out: each connection sends as soon as it has an answer. */
  perSecond?: number;
}

/** What came of it. Times are milliseconds; rate and times are of the measured stretch, outcomes of the whole run. */
export interface LoadResult {
  perSecond: number;
  p50: number;
  p99: number;
  /** Number of answers by what they said: `201`, `409 event_sold_out`, `ECONNRESET`. */
  outcomes: Record<string, number>;
  /** Number of answers that were not among those expected. */
  unexpected: number;
}

export type Command = { do: 'start'; job: Job } | { do: 'mark' } | { do: 'stop' };
