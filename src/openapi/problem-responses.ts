import { isKept } from '../idempotency/idempotency.service';
import { ORDER_STATUSES } from '../inventory/order-status';
import { REFUND_STATUSES } from '../inventory/payment-states';
import { TICKET_STATUSES } from '../inventory/ticket-status';
import { PROBLEMS, type ProblemCode } from '../problems/catalogue';
import type { ProblemMembers } from '../problems/problem';

interface Reference {
  $ref: string;
}

const MEMBERS: Record<keyof ProblemMembers, object> = {
  ticket_status: {
    type: 'string',
    enum: [...TICKET_STATUSES],
    description: 'Only where the state of a ticket is in the way: what the ticket is',
  },
  order_status: {
    type: 'string',
    enum: [...ORDER_STATUSES],
    description: 'Only where the state of an order is in the way: what the order is',
  },
  refund_status: {
    type: 'string',
    enum: [...REFUND_STATUSES],
    description: 'Only where the state of a refund is in the way: what the refund is',
  },
  order_code: {
    type: 'string',
    description: 'Only where a ticket is sold with its order: the order to ask about instead',
  },
  paid_at: {
    type: 'string',
    format: 'date-time',
    description: 'Only where `ticket_status` or `order_status` is `paid`',
  },
  held: { type: 'integer', description: 'Only with `capacity_in_use`: how many places are held' },
  sold: { type: 'integer', description: 'Only with `capacity_in_use`: how many places are sold' },
  error: {
    type: 'string',
    enum: ['invalid_grant', 'invalid_request', 'unsupported_grant_type'],
    description: 'For OAuth clients (RFC 6749, section 5.2)',
  },
  error_description: { type: 'string', description: 'A sentence for the developer of an OAuth client' },
};

const PROBLEM_SCHEMA = {
  type: 'object',
  description: 'Problem details (RFC 9457)',
  required: ['type', 'title', 'status', 'detail', 'code', 'request_id'],
  properties: {
    type: { type: 'string', format: 'uri-reference', description: 'Where the error catalogue explains it' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'A sentence for a person' },
    code: { type: 'string', enum: Object.keys(PROBLEMS), description: 'Stable, for programs' },
    request_id: { type: 'string' },
    ...MEMBERS,
    errors: {
      type: 'array',
      description: 'What does not validate, part by part',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: {
          pointer: { type: 'string', description: 'JSON Pointer (RFC 6901) to the field or parameter' },
          detail: { type: 'string' },
        },
      },
    },
  },
};

const HEADERS = {
  RetryAfter: { description: 'Seconds to wait before another try', schema: { type: 'integer' } },
  WwwAuthenticate: { description: 'How to sign in (RFC 6750)', schema: { type: 'string' } },
};

/** The header `Idempotent-Replayed` of an answer that is kept under an `Idempotency-Key`. */
export const REPLAYED = { 'Idempotent-Replayed': { $ref: '#/components/headers/IdempotentReplayed' } };
const RETRY_AFTER = { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } };
const HEADERS_OF_STATUS: Record<number, object> = {
  401: { 'WWW-Authenticate': { $ref: '#/components/headers/WwwAuthenticate' } },
  429: RETRY_AFTER,
  503: RETRY_AFTER,
};

/**
 * The refusals of all operations, each written once under `components`: operations with the same codes at a status
 * share one response, and each code has one example.
 */
export class ProblemResponses {
  readonly schemas = { Problem: PROBLEM_SCHEMA };
  readonly headers = HEADERS;
  readonly responses: Record<string, object> = {};
  readonly examples: Record<string, object> = {};

  /**
   * The refusals of one operation by status.
   *
   * @param takesKey whether they may be kept under an `Idempotency-Key`
   */
  of(codes: readonly ProblemCode[], takesKey: boolean): Record<string, Reference> {
    const statuses = new Set(codes.map((code) => PROBLEMS[code].status));
    return Object.fromEntries(
      [...statuses].map((status) => {
        // In the catalogue's order, so that the same codes make the same response.
        const own = CODES.filter((code) => codes.includes(code) && PROBLEMS[code].status === status);
        return [status, this.share(status, own, takesKey && isKept(status))];
      }),
    );
  }

  private share(status: number, codes: ProblemCode[], isReplayable: boolean): Reference {
    const name = codes.map(nameOf).join('Or') + (isReplayable ? 'Replayable' : '');
    for (const code of codes) this.examples[nameOf(code)] = { value: exampleOf(code) };
    const headers = { ...HEADERS_OF_STATUS[status], ...(isReplayable && REPLAYED) };
    this.responses[name] = {
      description: codes.map((code) => PROBLEMS[code].detail).join('; '),
      ...(Object.keys(headers).length > 0 && { headers }),
      content: {
        'application/problem+json': {
          schema: { $ref: '#/components/schemas/Problem' },
          examples: Object.fromEntries(
            codes.map((code) => [code, { $ref: `#/components/examples/${nameOf(code)}` }]),
          ),
        },
      },
    };
    return { $ref: `#/components/responses/${name}` };
  }
}

const CODES = Object.keys(PROBLEMS) as ProblemCode[];

/** `event_not_found` → `EventNotFound` */
const nameOf = (code: ProblemCode) =>
  code.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());

/** What the refusals of a code say beside the usual. */
const EXAMPLES: Partial<Record<ProblemCode, object>> = {
  validation_failed: {
    errors: [{ pointer: '/venue/latitude', detail: 'must be a number from -90 to 90' }],
  },
  ticket_not_payable: { ticket_status: 'paid', paid_at: '2030-01-01T12:01:00.000Z' },
  ticket_not_cancellable: { ticket_status: 'expired' },
  ticket_not_paid: { ticket_status: 'reserved' },
  ticket_not_changeable: { ticket_status: 'expired' },
  ticket_not_voidable: { ticket_status: 'refunded' },
  part_of_an_order: { order_code: '7ZZFG2K9QX' },
  payment_required: { order_code: '7ZZFG2K9QX' },
  order_not_payable: { order_status: 'paid', paid_at: '2030-01-01T12:01:00.000Z' },
  order_not_cancellable: { order_status: 'expired' },
  order_not_extendable: { order_status: 'paid', paid_at: '2030-01-01T12:01:00.000Z' },
  refund_not_retryable: { refund_status: 'succeeded' },
  capacity_in_use: { held: 3, sold: 120 },
  invalid_credentials: {
    error: 'invalid_grant',
    error_description: PROBLEMS.invalid_credentials.detail,
  },
};

const exampleOf = (code: ProblemCode) => ({
  type: `/docs/errors#${code}`,
  title: PROBLEMS[code].title,
  status: PROBLEMS[code].status,
  detail: PROBLEMS[code].detail,
  code,
  request_id: '6f1c3a52-0d0e-4c5f-9a41-8c2f8f0f2f5e',
  ...EXAMPLES[code],
});
