import { applyDecorators, type Type } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiOkResponse,
  ApiParam,
  ApiProperty,
  ApiResponse,
  type ApiResponseMetadata,
} from '@nestjs/swagger';
import { MAX_ID } from './fields';
import { PROBLEMS, type ProblemCode } from '../problems/catalogue';

/** Documents a 201 with the resource and its `Location`. */
export const ApiCreated = (type: Type) =>
  ApiCreatedResponse({
    type,
    description: 'Created',
    headers: { Location: { description: 'The address of what was created', schema: { type: 'string' } } },
  });

/** Documents a page of a list. */
export const ApiList = (type: Type) =>
  ApiOkResponse({
    type,
    isArray: true,
    description: 'One page',
    headers: {
      Link: {
        description: 'The next page as `<address>; rel="next"` (RFC 8288); absent on the last page',
        schema: { type: 'string' },
      },
    },
  });

/** Documents an id in the path. */
export const ApiId = (name: string) =>
  ApiParam({ name, schema: { type: 'integer', minimum: 1, maximum: MAX_ID, example: 1 } });

/** Documents a whole number in an answer; what is inferred from `number` is any. */
export const ApiInteger = () => ApiProperty({ type: 'integer' });

/** Documents what an operation may be refused with, beside what every operation may. */
export const ApiProblems = (...codes: ProblemCode[]) =>
  applyDecorators(
    ...[...new Set(codes.map((code) => PROBLEMS[code].status))].map((status) =>
      ApiResponse({ status, ...problemResponse(status, codes) }),
    ),
  );

/** The documentation of one status, with an example of each problem that carries it. */
export function problemResponse(status: number, codes: readonly ProblemCode[]) {
  const own = codes.filter((code) => PROBLEMS[code].status === status);
  return {
    description: own.map((code) => PROBLEMS[code].detail).join('; '),
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(own.map((code) => [code, { value: exampleOf(code) }])),
      },
    },
    ...(HEADERS[status] && { headers: HEADERS[status] }),
  };
}

const RETRY_AFTER = {
  'Retry-After': { description: 'Seconds to wait before another try', schema: { type: 'integer' as const } },
};

const HEADERS: Record<number, ApiResponseMetadata['headers']> = {
  401: { 'WWW-Authenticate': { description: 'How to sign in (RFC 6750)', schema: { type: 'string' } } },
  429: RETRY_AFTER,
  503: RETRY_AFTER,
};

const exampleOf = (code: ProblemCode) => ({
  type: `/docs/errors#${code}`,
  title: PROBLEMS[code].title,
  status: PROBLEMS[code].status,
  detail: PROBLEMS[code].detail,
  code,
  request_id: '6f1c3a52-0d0e-4c5f-9a41-8c2f8f0f2f5e',
  ...(code === 'validation_failed' && {
    errors: [{ pointer: '/venue/latitude', detail: 'must be a number from -90 to 90' }],
  }),
});
