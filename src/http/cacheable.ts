import { constants, gzip } from 'node:zlib';
import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiResponse } from '@nestjs/swagger';
import type { Response } from 'express';
import { countUnread } from './unread-answers';
import { ApiTagged, endsUnchanged, entityTag } from './entity-tag';

/**
 * A browser asks again each time, and is told that nothing changed; what many share, such as a CDN in a rush, may answer
 * for a second.
 */
const CACHE_CONTROL = 'public, max-age=0, s-maxage=1';

/** For one caller alone, who asks again each time. */
const CACHE_CONTROL_PRIVATE = 'private, max-age=0';

/** Smaller ones fit into one packet anyway. */
const WORTH_PACKING = 1_400;
/** Node has four threads for such work, and passwords need some of them; beyond, answers go out as they are. */
const MOST_AT_ONCE = 2;
/** A tenth of the time of the default, for answers a fifth larger. */
const LEVEL = constants.Z_BEST_SPEED;

let packing = 0;

/**
 * Marks an answer that is the same for every caller: caches may keep it. Refusals are not marked, and not kept.
 *
 * @param version of what the answer shows, where it has one
 */
export function markCacheable(response: Response, version?: number): void {
  response.setHeader('Cache-Control', CACHE_CONTROL);
  response.locals.version = version;
}

/**
 * Marks an answer that is for its caller alone, who need not get it again while it stays the same.
 *
 * @param what all that makes a difference of it
 */
export function markConditional(response: Response, what: object): void {
  response.setHeader('Cache-Control', CACHE_CONTROL_PRIVATE);
  response.locals.tag = entityTag(JSON.stringify(what));
}

export const isCacheable = (response: Response) =>
  [CACHE_CONTROL, CACHE_CONTROL_PRIVATE].includes(String(response.getHeader('Cache-Control')));

/**
 * Sends JSON that caches may keep: with an `ETag`, as a mere 304 to a client that has it already, and compressed for one
 * that understands it.
 */
export function sendCacheable(response: Response, json: string): void {
  const { tag, version } = response.locals as { tag?: string; version?: number };
  response.setHeader('ETag', tag ?? entityTag(json, version));
  response.vary('Accept-Encoding');
  if (endsUnchanged(response)) return;
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  if (json.length < WORTH_PACKING || packing === MOST_AT_ONCE || !takesGzip(response)) {
    send(response, Buffer.from(json));
    return;
  }
  packing++;
  gzip(json, { level: LEVEL }, (error, packed) => {
    packing--;
    // The deadline may have answered meanwhile.
    if (response.headersSent) return;
    if (!error) response.setHeader('Content-Encoding', 'gzip');
    send(response, error ? Buffer.from(json) : packed);
  });
}

const takesGzip = ({ req }: Response) => req.acceptsEncodings(['gzip', 'identity']) === 'gzip';

function send(response: Response, body: Buffer): void {
  response.setHeader('Content-Length', body.length);
  response.end(body);
  countUnread(response, body.length);
}

/** Documents that an answer can be asked for on the condition that it has changed. */
export const ApiCacheable = () =>
  applyDecorators(
    ApiTagged(),
    ApiHeader({
      name: 'If-None-Match',
      required: false,
      description: 'The `ETag` of an answer that the client has; 304 where it would be the same again',
    }),
    ApiResponse({
      status: 304,
      description: 'The client has this answer already',
      headers: { ETag: { $ref: '#/components/headers/ETag' } as object },
    }),
  );
