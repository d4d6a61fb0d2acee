import type { Answer } from './client';

interface Expected {
  /** The sentence for a person, where the contract fixes it. */
  detail?: string;
  /** Which parts do not validate, in any order. */
  pointers?: string[];
}

/** What no client may ever see: stacks, SQL, the names of our files and libraries. */
const INTERNALS =
  /\bat .+:\d+|\.[jt]s\b|node_modules|\b(SELECT|INSERT|UPDATE|DELETE)\b|syntax error|constraint|postgres|typeorm/i;

/** Holds a refusal against the contract: RFC 9457, with the fields of the contract and no others. */
export function expectProblem(
  { status, headers, body }: Answer,
  expectedStatus: number,
  code: string,
  { detail, pointers }: Expected = {},
): void {
  expect({ status, code: body.code, errors: body.errors }).toMatchObject({ status: expectedStatus, code });
  expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(body).toEqual({
    type: `/docs/errors#${code}`,
    title: expect.stringMatching(/./),
    status: expectedStatus,
    detail: detail ?? expect.stringMatching(/./),
    code,
    request_id: headers.get('x-request-id'),
    ...(code === 'validation_failed' && { errors: expect.any(Array) }),
  });
  for (const error of body.errors ?? []) {
    expect(error).toEqual({ pointer: expect.any(String), detail: expect.stringMatching(/./) });
  }
  if (pointers) {
    const found = body.errors.map(({ pointer }: { pointer: string }) => pointer);
    expect(found.sort()).toEqual([...pointers].sort());
  }
  expect(JSON.stringify({ ...body, errors: body.errors?.map(withoutPointer) })).not.toMatch(INTERNALS);
}

/** A pointer names what the client sent, whatever that looks like. */
const withoutPointer = ({ detail }: { detail: string }) => detail;
