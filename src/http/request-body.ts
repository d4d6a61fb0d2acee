import { isUtf8 } from 'node:buffer';
import { MIMEType } from 'node:util';
import type { Request, Response } from 'express';
import { invalid, Problem } from '../problems/problem';

/** Values of a body, far more than any DTO has; what comes after parsing takes some microseconds for each. */
export const MAX_VALUES = 1_000;

/** What a route takes. */
export interface BodyOptions {
  maxBytes: number;
  /** Elements of lists and fields of objects in all. */
  maxValues: number;
  /** Takes HTML forms, too. */
  forms: boolean;
  /** Takes bytes as they are, of any type: whoever sent them has signed just these. */
  raw?: boolean;
}

export const hasBody = ({ headers }: Request) =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > 0;

/**
 * Reads and parses a body: JSON in UTF-8, or a form; a raw one is not parsed. What says of itself that it will not be taken is not read.
 *
 * @returns undefined for an empty one
 * @throws {Problem} `unsupported_media_type`, `body_too_large`, `malformed_json`, 422 for more values than the route takes
 */
export async function readBody(
  request: Request,
  response: Response,
  { maxBytes, maxValues, forms, raw = false }: BodyOptions,
): Promise<unknown> {
  const type = typeOf(request);
  if (!raw && type !== 'application/json' && !(forms && type === FORM))
    throw new Problem('unsupported_media_type');
  if (Number(request.headers['content-length']) > maxBytes) throw new Problem('body_too_large');
  // The client asks before it sends: only now is it known that the body is wanted.
  if (request.headers.expect !== undefined) response.writeContinue();
  const bytes = await collect(request, maxBytes);
  if (bytes.length === 0) return undefined;
  if (raw) return bytes;
  if (!isUtf8(bytes)) throw new Problem('malformed_json');
  if (type === FORM) return fieldsOf(bytes.toString());
  if (hasMoreValues(bytes, maxValues)) throw invalid('', moreValuesThan(maxValues));
  return parse(bytes.toString());
}

const FORM = 'application/x-www-form-urlencoded';

/** The media type; undefined for a body in another charset than UTF-8, and for one that is packed, which may be a bomb. */
function typeOf({ headers }: Request): string | undefined {
  const type = headers['content-type'] ?? '';
  if ((headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') return undefined;
  // Nearly every client writes it so, and parsing a media type takes a while.
  if (type === 'application/json') return type;
  try {
    const { essence, params } = new MIMEType(type);
    return (params.get('charset') ?? 'utf-8').toLowerCase() === 'utf-8' ? essence : undefined;
  } catch {
    return undefined;
  }
}

function collect(request: Request, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBytes) chunks.push(chunk);
      else reject(new Problem('body_too_large'));
    });
    let isWhole = false;
    request.on('end', () => {
      isWhole = true;
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
    });
    // The client may go in the middle. This comes to every request in the end: only then is it worth making an error.
    request.on('close', () => {
      if (!isWhole) reject(new Problem('malformed_request'));
    });
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text);
  } catch {
    throw new Problem('malformed_json');
  }
}

/** How JSON of more values than a route takes is refused. */
export const moreValuesThan = (most: number) => `has more than ${most} values`;

const [QUOTE, BACKSLASH, COMMA, BRACKET, BRACE] = [0x22, 0x5c, 0x2c, 0x5b, 0x7b];

/**
 * Tells without parsing it that JSON has more than `most` values: objects of thousands of shapes take the parser a hundred
 * times as long as text of the same length. A value has a comma or an opening bracket before it, and may have an opening
 * bracket of its own; so up to twice as many of these signs pass.
 */
export function hasMoreValues(json: Buffer, most: number): boolean {
  let signs = 0;
  let isInText = false;
  for (let i = 0; i < json.length; i++) {
    const byte = json[i];
    if (byte === QUOTE) isInText = !isInText;
    else if (isInText) i += byte === BACKSLASH ? 1 : 0;
    else if ((byte === COMMA || byte === BRACKET || byte === BRACE) && ++signs > 2 * most) return true;
  }
  return false;
}

/** More than any form of ours has. */
const MOST_FIELDS = 1_000;

/** The fields of a form; of one that comes twice, a list. */
function fieldsOf(form: string): Record<string, unknown> {
  const fields = new Map<string, string | string[]>();
  let count = 0;
  for (const [name, value] of new URLSearchParams(form)) {
    if (++count > MOST_FIELDS) throw new Problem('body_too_large');
    const before = fields.get(name);
    if (Array.isArray(before)) before.push(value);
    else fields.set(name, before === undefined ? value : [before, value]);
  }
  return Object.fromEntries(fields);
}

/** So much of a body that is refused is read past for the sake of the next request on the connection. */
const MOST_PASSED_OVER = 64 * 1_024;
/** How long a client may go on sending and still get the answer. */
const LINGER_MS = 1_000;

/** Ends the connection with the answer where much of the body, or an unknown part of it, is still to come. */
export function closeIfUnread(request: Request, response: Response): void {
  const { headers, socket } = request;
  const isShort =
    headers['transfer-encoding'] === undefined && !(Number(headers['content-length']) > MOST_PASSED_OVER);
  if (request.complete || isShort || response.headersSent) return;
  response.setHeader('Connection', 'close');
  // Closed at once, with bytes unread, it would be reset, and the client might lose the answer (RFC 9112, section 9.6).
  socket.destroySoon = () => {
    socket.end();
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  };
}
