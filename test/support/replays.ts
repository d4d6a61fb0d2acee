import type { Answer } from './client';

export const REPLAYED = 'idempotent-replayed';

/** What of an answer is the same again, to the byte: the same length, and the same fields in the same order. */
export const exact = ({ status, headers, body }: Answer) => ({
  status,
  text: JSON.stringify(body),
  length: headers.get('content-length'),
  location: headers.get('location'),
  type: headers.get('content-type'),
});
export const isReplay = ({ headers }: Answer) => headers.get(REPLAYED) === 'true';
export const outcomeOf = ({ status, body }: Answer) =>
  status < 300 ? `${status}` : `${status} ${body.code}`;
