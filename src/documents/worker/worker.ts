import { pdfOf } from './pdf';
import { pngOf, svgOf } from './qr';
import type { DocumentOrder } from './ticket-page';

/** What a thread of the pool runs for each document. */
export default async function make(order: DocumentOrder): Promise<Uint8Array> {
  switch (order.kind) {
    case 'svg':
      return Buffer.from(await svgOf(order.token));
    case 'png':
      return await pngOf(order.token);
    case 'pdf':
      return await pdfOf(order.pages, order.format);
  }
}
