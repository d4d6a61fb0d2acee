import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Request, Response } from 'express';
import { endsUnchanged } from './entity-tag';

const compress = promisify(gzip);

/**
 * Answers with bytes that stay the same while the process runs. They are hashed once and compressed once, off the
 * event loop, when the first client takes gzip; a client that has them gets 304.
 *
 * @param type the media type
 * @param cacheControl by default a cache asks each time whether they changed
 */
export function staticAnswer(type: string, content: string | Buffer, cacheControl = 'public, no-cache') {
  const bytes = Buffer.from(content);
  // Weak: the compressed bytes have the same.
  const etag = `W/"${createHash('sha256').update(bytes).digest('base64url')}"`;
  let compressed: Promise<Buffer> | undefined;
  return async (request: Request, response: Response): Promise<void> => {
    response.set({ ETag: etag, 'Cache-Control': cacheControl }).vary('Accept-Encoding');
    if (endsUnchanged(response)) return;
    const isCompressed = request.acceptsEncodings('gzip') === 'gzip';
    const body = isCompressed ? await (compressed ??= compress(bytes)) : bytes;
    if (isCompressed) response.set('Content-Encoding', 'gzip');
    response.set({ 'Content-Type': type, 'Content-Length': String(body.length) }).end(body);
  };
}
