/** What the page of a ticket shows. */
export interface TicketPage {
  ticketId: number;
  token: string;
  event: string;
  place: string | null;
  startTime: Date;
  endTime: Date;
  timezone: string;
  attendee: string | null;
  type: string;
  orderCode: string;
}

export const PDF_FORMATS = ['a4', 'phone'] as const;

export type PdfFormat = (typeof PDF_FORMATS)[number];

/** What a thread is asked to make. */
export type DocumentOrder =
  { kind: 'svg' | 'png'; token: string } | { kind: 'pdf'; format: PdfFormat; pages: TicketPage[] };

export type DocumentTask = DocumentOrder & {
  /** People reserve, who need the processor more than documents do. */
  isCrowded: boolean;
  /** Memory that the threads share: another number than 0 once nobody waits for the document any more. */
  over: Int32Array;
  /** The same: how many pages were begun. */
  begun: Int32Array;
};
