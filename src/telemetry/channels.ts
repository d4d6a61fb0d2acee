import { channel, tracingChannel } from 'node:diagnostics_channel';

/*
 * Events of this process, over Node's own channels: metrics always listen, traces where they are on. The publishers
 * know neither. Without a listener, publishing costs one look at whether there is one.
 */

/** Requests that are worked off together. */
export interface Batch {
  name: 'place_holds' | 'resolve_holds' | 'begin_payments' | 'settle_payments' | 'check_in';
  requests: readonly object[];
}

/** A batch is worked off; at its end the message has the outcomes as `result`, in the order of the requests. */
export const batches = tracingChannel<unknown, Batch>('tixxety:batch');
/** A request joins a batch: told while the caller is still known. */
export const batchJoins = channel('tixxety:batch-join');

export interface TracedStatement {
  name?: string;
  text: string;
}

/** A statement is run. */
export const statements = tracingChannel<unknown, TracedStatement>('tixxety:statement');

export interface Job {
  name: string;
  data: object;
}

/** The data of a job that is about to be sent; a listener may add to it. */
export const jobsToSend = channel('tixxety:job-to-send');
/** A job is worked off. */
export const jobs = tracingChannel<unknown, Job>('tixxety:job');

/** What noticed that holds were due. */
export type ReleaseTrigger = 'bull' | 'sweeper' | 'reservation';

export interface Release {
  trigger: ReleaseTrigger;
  /** How long after its time each hold was ended, by the database's clock. */
  lateSeconds: number[];
}

/** Holds were ended: a `Release`. */
export const releases = channel('tixxety:release');

/** Orders of an event that was cancelled, and what they are since. */
export interface EndedOrders {
  status: 'cancelled' | 'expired';
  number: number;
}

/** Orders ended with their event: an `EndedOrders`. */
export const ordersEnded = channel('tixxety:orders-ended');

export interface Scan {
  result: string;
}

/** A ticket was scanned at a gate: a `Scan`. Not told of one that is sent again. */
export const scans = channel('tixxety:scan');

export interface PaymentOutcome {
  provider: string;
  status: string;
  /** From its beginning to its end; null where it has not ended. */
  seconds: number | null;
  /** Why what was taken is given back. */
  refundCause: string | null;
  /** Its money came after the hold had ended. */
  isLate: boolean;
}

/** A payment came to another state: a `PaymentOutcome`. */
export const settledPayments = channel('tixxety:settled-payment');

export interface RefundOutcome {
  status: string;
}

/** A refund came to another state: a `RefundOutcome`. */
export const settledRefunds = channel('tixxety:settled-refund');
