import { hash } from 'node:crypto';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiExtension, ApiHeader } from '@nestjs/swagger';
import type { Request, Response } from 'express';

/**
 * The tag of an answer (RFC 9110). Weak: it stands for the JSON, however that is encoded on the way.
 *
 * The part before the dot is the version of what the answer shows, the other stands for all that it says. So a cache
 * takes no answer for another that has other counters, and an `If-Match` is not refused because counters changed.
 */
export const entityTag = (json: string, version?: number) =>
  `W/"${version === undefined ? '' : `${version}.`}${hash('sha1', json, 'base64url')}"`;

/** Tags an answer that no cache keeps, so that its client can make a change on the condition that it still holds. */
export function tagAnswer<Body extends object>(response: Response, body: Body, version: number): Body {
  response.setHeader('ETag', entityTag(JSON.stringify(body), version));
  return body;
}

/** Hands the `If-Match` header to a handler. */
export const IfMatch = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<Request>().headers['if-match'],
);

/** Whether an `If-Match` header names this version, or none at all. (A proxy that packs answers may change the rest.) */
export function isMatch(ifMatch: string | undefined, version: number): boolean {
  if (ifMatch === undefined || ifMatch.trim() === '*') return true;
  return [...ifMatch.matchAll(/"(\d+)\.[^"]*"/g)].some(([, named]) => Number(named) === version);
}

/** Tells the OpenAPI document that an answer carries an `ETag`. */
export const TAG_EXTENSION = 'x-tagged';

/** Documents that an answer carries an `ETag`. */
export const ApiTagged = () => ApiExtension(TAG_EXTENSION, true);

/** Documents that a change can be made on the condition that no other was made before it. */
export const ApiIfMatch = () =>
  ApiHeader({
    name: 'If-Match',
    required: false,
    description: 'The `ETag` of an answer that the client has; 412 where something was changed since',
  });

/**
 * Answers a client that has the answer with this `ETag` with a mere 304. (Express would send it again to each client that
 * also sends `Cache-Control: no-cache`, and `fetch` does so beside every `If-None-Match`; that is for caches on the way.)
 *
 * @returns whether it did
 */
export function endsUnchanged(response: Response): boolean {
  const tag = opaque(String(response.getHeader('ETag')));
  const named = (response.req.headers['if-none-match'] ?? '').split(',');
  const isUnchanged = named.some((each) => opaque(each.trim()) === tag || each.trim() === '*');
  if (isUnchanged) response.status(304).end();
  return isUnchanged;
}

/** A tag as it is compared: weakly (RFC 9110). */
const opaque = (tag: string) => tag.replace(/^W\//, '');
