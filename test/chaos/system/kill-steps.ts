/** A step of a process at which it may be killed. */
export interface Step {
  /** The calls it is a step of, by method and path. */
  calls: RegExp;
  at: 'arrival' | 'call' | 'sent' | 'answer';
  /** The processes that come to it. */
  roles: readonly ('api' | 'worker')[];
}

const CREATE = /^POST \/sandbox\/payments$/;
const REFUND = /^POST \/sandbox\/refunds$/;
const ASK = /^GET \/sandbox\/payments\/\w+$/;
const CANCEL = /^POST \/sandbox\/payments\/\w+\/cancel$/;
const API = ['api'] as const;
const WORKER = ['worker'] as const;

export const KILL_STEPS: Readonly<Record<string, Step>> = {
  'before the row': { calls: /^POST \/orders\/\w+\/payments$/, at: 'arrival', roles: API },
  'between row and call': { calls: CREATE, at: 'call', roles: API },
  'between call and answer': { calls: CREATE, at: 'sent', roles: API },
  'between answer and commit': { calls: CREATE, at: 'answer', roles: API },
  'in the webhook': { calls: /^POST \/payments\/events\/sandbox$/, at: 'arrival', roles: API },
  'in the webhook, asked': { calls: ASK, at: 'answer', roles: API },
  'before a cancellation': { calls: CANCEL, at: 'call', roles: WORKER },
  'after a cancellation': { calls: CANCEL, at: 'answer', roles: WORKER },
  'before a refund': { calls: REFUND, at: 'call', roles: WORKER },
  'between refund and answer': { calls: REFUND, at: 'sent', roles: WORKER },
  'between refund and commit': { calls: REFUND, at: 'answer', roles: WORKER },
};
