import { setTimeout as sleep } from 'node:timers/promises';
import { pdfOf } from './pdf';
import { pngOf, svgOf } from './qr';
import type { DocumentTask } from './ticket-page';

/** In a crowd, a thread rests so many times as long as it worked. A nice value alone leaves reservations 0.6 of their rate. */
const RESTS = 19;
/** The first document takes a second of a busy machine, for its fonts; the next must not wait until its request is given up. */
const LONGEST_REST_MS = 500;
let restsUntil = 0;

/** How long the thread rests after so much work, both in milliseconds. */
export const restAfter = (workedMs: number) => Math.min(RESTS * workedMs, LONGEST_REST_MS);

/** What a thread of the pool runs for each document, one after the other. */
export default async function make(task: DocumentTask): Promise<Uint8Array> {
  requireWaiter(task);
  if (task.isCrowded) await sleep(Math.max(0, restsUntil - performance.now()));
  const start = performance.now();
  try {
    return await draw(task);
  } finally {
    restsUntil = performance.now() + restAfter(performance.now() - start);
  }
}

function requireWaiter({ over }: DocumentTask): void {
  if (Atomics.load(over, 0) !== 0) throw new Error('Nobody waits for this document any more');
}

async function draw(task: DocumentTask): Promise<Uint8Array> {
  switch (task.kind) {
    case 'svg':
      return Buffer.from(await svgOf(task.token));
    case 'png':
      return await pngOf(task.token);
    case 'pdf':
      return await pdfOf(task.pages, task.format, () => {
        requireWaiter(task);
        Atomics.add(task.begun, 0, 1);
      });
  }
}
