/** What a client knows of a call: it was done, it was definitely not done, or its outcome is unknown. */
export type Outcome = 'ok' | 'refused' | 'unknown';

export type Action = 'reserve' | 'pay' | 'cancel' | 'get' | 'list';

/** One call of a client and how it ended. */
export interface Call {
  action: Action;
  user: number;
  /** Of a reservation, or of the one that made the ticket or order. */
  event: number;
  /** The ticket it was about, or that it made; of an order the first one. */
  ticket?: number;
  /** What was ordered; left out: a single ticket. */
  items?: { ticket_type_id: number; quantity: number }[];
  /** The code that was ordered with. */
  discount?: string;
  /** The order it was about, or that it made; left out for a single ticket. */
  order?: { code: string; total: number };
  /** Tickets that were said to be reserved. */
  places?: number;
  /** The `Idempotency-Key`; calls with the same one are attempts at the same thing. */
  key?: string;
  /** Which API answered, or did not. */
  api: number;
  outcome: Outcome;
  status?: number;
  /** Of the problem, such as `event_sold_out`. */
  code?: string;
  /** What the ticket was said to be. */
  told?: string;
  /** Of a reservation: how long the hold lasts from its beginning, and from the answer on. */
  hold?: { lastsMs: number; leftMs: number };
  /** Why there was no answer, such as `ECONNRESET`. */
  error?: string;
  hasRetryAfter?: boolean;
  /** Milliseconds since the start of the run. */
  from: number;
  to: number;
}

/** Everything that the clients asked for, in the order in which it ended. */
export class History {
  readonly calls: Call[] = [];

  add(call: Call): void {
    this.calls.push(call);
  }

  /** The calls that ended since `mark` was the length of the history. */
  since(mark: number): Call[] {
    return this.calls.slice(mark);
  }

  get mark(): number {
    return this.calls.length;
  }
}

/** How long calls took, in milliseconds. */
export const durations = (calls: readonly Call[]) => calls.map(({ from, to }) => to - from);

/** The value that the share of the numbers does not exceed; 0 where there are none. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
