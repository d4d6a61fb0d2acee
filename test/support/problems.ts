import type { Answer } from './client';

interface ProblemBody {
  code: string;
  ticket_status?: string;
  order_status?: string;
  error?: string;
  errors?: { pointer: string; detail: string }[];
}

interface Expected {
  /** The sentence for a person, where the contract fixes it. */
  detail?: string;
  /** Which parts do not validate, in any order. */
  pointers?: string[];
}

/** What no client may ever see: stacks, SQL, the names of our files and libraries. */
const INTERNALS =
  /\bat .+:\d+|\.[jt]s\b|node_modules|\b(SELECT|INSERT|UPDATE|DELETE)\b|syntax error|constraint|postgres|typeorm/i;

/** What OAuth clients are told, where they ask. */
const OAUTH_ERROR = {
  error: expect.stringMatching(/^(invalid_grant|invalid_request|unsupported_grant_type)$/),
  error_description: expect.stringMatching(/./),
};

const PAID_AT = { paid_at: expect.stringMatching(/^\d{4}-.*Z$/) };

/** What a refusal tells of the ticket or the order. */
const MEMBERS: Record<string, (body: ProblemBody) => object> = {
  ticket_not_payable: ({ ticket_status }) => ({
    ticket_status: expect.stringMatching(/^(reserved|paid|expired|cancelled|refunded|void|blocked)$/),
    ...(ticket_status === 'paid' && PAID_AT),
  }),
  ticket_not_cancellable: (body) => MEMBERS.ticket_not_payable?.(body) ?? {},
  ticket_not_voidable: () => ({ ticket_status: expect.stringMatching(/./) }),
  ticket_not_changeable: () => ({ ticket_status: expect.stringMatching(/./) }),
  order_not_payable: ({ order_status }) => ({
    order_status: expect.stringMatching(/^(held|paid|expired|cancelled|refunded)$/),
    ...(order_status === 'paid' && PAID_AT),
  }),
  order_not_cancellable: (body) => MEMBERS.order_not_payable?.(body) ?? {},
  order_not_extendable: (body) => MEMBERS.order_not_payable?.(body) ?? {},
  ticket_not_paid: () => ({
    ticket_status: expect.stringMatching(/^(reserved|expired|cancelled|refunded|void|blocked)$/),
  }),
  refund_not_retryable: () => ({ refund_status: expect.stringMatching(/^(pending|succeeded)$/) }),
  capacity_in_use: () => ({ held: expect.any(Number), sold: expect.any(Number) }),
  part_of_an_order: () => ({ order_code: expect.stringMatching(/^[0-9A-Z]{10}$/) }),
  payment_required: () => ({ order_code: expect.stringMatching(/^[0-9A-Z]{10}$/) }),
};

/** Refusals that point at what is to blame. */
const POINTS = /^(validation_failed|code_not_valid|code_used_up|ticket_type_.*)$/;

/** Holds a refusal against the contract: RFC 9457, with the fields of the contract and no others. */
export function expectProblem(
  { status, headers, body }: Answer,
  expectedStatus: number,
  code: string,
  { detail, pointers }: Expected = {},
): void {
  const problem = body as ProblemBody;
  const errors = problem.errors ?? [];
  expect({ status, code: problem.code, errors }).toMatchObject({ status: expectedStatus, code });
  expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(problem).toEqual({
    type: `/docs/errors#${code}`,
    title: expect.stringMatching(/./),
    status: expectedStatus,
    detail: detail ?? expect.stringMatching(/./),
    code,
    request_id: headers.get('x-request-id'),
    ...(POINTS.test(code) && (pointers ?? errors.length > 0) && { errors: expect.any(Array) }),
    ...(problem.error !== undefined && OAUTH_ERROR),
    ...MEMBERS[code]?.(problem),
    ...(code === 'capacity_in_use' && { held: expect.any(Number), sold: expect.any(Number) }),
  });
  for (const error of errors) {
    expect(error).toEqual({ pointer: expect.any(String), detail: expect.stringMatching(/./) });
  }
  if (pointers) expect(errors.map(({ pointer }) => pointer).sort()).toEqual([...pointers].sort());
  // A pointer names a part of the client's input, which may look like anything.
  const ours = { ...problem, errors: errors.map((error) => error.detail) };
  expect(JSON.stringify(ours)).not.toMatch(INTERNALS);
}
