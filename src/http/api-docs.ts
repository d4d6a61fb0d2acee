import type { Type } from '@nestjs/common';
import { ApiCreatedResponse, ApiExtension, ApiOkResponse, ApiParam, ApiProperty } from '@nestjs/swagger';
import type { ProblemCode } from '../problems/catalogue';
import { MAX_ID } from './fields';

/**
 * Documents a 201 with the resource and its `Location`.
 *
 * @param example where those of the fields together show what a new one can't be
 */
export const ApiCreated = (type: Type, example?: object) =>
  ApiCreatedResponse({
    type,
    ...(example && { example }),
    description: 'Created',
    headers: { Location: { description: 'The address of what was created', schema: { type: 'string' } } },
  });

/** The way to the next page. */
export const LINK = {
  Link: {
    description: 'The next page as `<address>; rel="next"` (RFC 8288); absent on the last page',
    schema: { type: 'string' as const },
  },
};

/** Documents a page of a list. */
export const ApiList = (type: Type, example?: object[]) =>
  ApiOkResponse({
    type,
    ...(example && { example }),
    isArray: true,
    description: 'One page',
    headers: LINK,
  });

/** Documents an id in the path. */
export const ApiId = (name: string) =>
  ApiParam({ name, schema: { type: 'integer', minimum: 1, maximum: MAX_ID, example: 1 } });

/** Documents the code of an order in the path. */
export const ApiOrderCode = () =>
  ApiParam({
    name: 'code',
    description:
      'The code of an order. Small letters and hyphens are taken; `I` and `L` count as `1`, `O` as `0`.',
    schema: { type: 'string', pattern: '^(-*[0-9A-Za-z]){10}-*$', example: '7ZZFG2K9QX' },
  });

/** Documents the user in a path. */
export const ApiUserId = () =>
  ApiParam({
    name: 'user_id',
    description: 'The id of a user, or `me` for the caller. Only an admin may name somebody else.',
    schema: {
      anyOf: [
        { type: 'integer', minimum: 1, maximum: MAX_ID },
        { type: 'string', enum: ['me'] },
      ],
      example: 'me',
    },
  });

/** Documents a whole number in an answer; what is inferred from `number` is any. */
export const ApiInteger = () => ApiProperty({ type: 'integer' });

/** How the OpenAPI document learns what {@link ApiProblems} says; it does not stay in there. */
export const PROBLEMS_EXTENSION = 'x-problems';

/** Documents what an operation may be refused with, beside what every operation may. */
export const ApiProblems = (...codes: ProblemCode[]) => ApiExtension(PROBLEMS_EXTENSION, codes);
