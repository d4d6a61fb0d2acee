import { LRUCache } from 'lru-cache';
import PDFDocument from 'pdfkit';
import type { Weight } from './fonts';
import { localTime } from './local-time';
import { qrOf, QUIET_ZONE } from './qr';
import { Paragraph, type Line } from './text';
import type { PdfFormat, TicketPage } from './ticket-page';

type Document = InstanceType<typeof PDFDocument>;

/** In points, of which an inch has 72. A phone shows the page as wide as its screen. */
interface Sheet {
  width: number;
  height: number;
  margin: number;
  /** Of the code, without the white around it. */
  code: number;
  title: number;
  value: number;
  label: number;
}

const SHEETS: Record<PdfFormat, Sheet> = {
  a4: { width: 595.28, height: 841.89, margin: 56, code: 220, title: 26, value: 13, label: 9 },
  phone: { width: 320, height: 640, margin: 22, code: 236, title: 18, value: 11.5, label: 8 },
};
const BLACK = '#000000';
const GREY = '#5a5a5a';

/**
 * A page a ticket.
 *
 * @param beforePage throws where the document is not wanted any more
 */
export async function pdfOf(
  pages: TicketPage[],
  format: PdfFormat,
  beforePage: () => void = () => undefined,
): Promise<Buffer> {
  const sheet = SHEETS[format];
  const document = new PDFDocument({
    size: [sheet.width, sheet.height],
    margin: 0,
    autoFirstPage: false,
    font: null as unknown as string, // none of those that every reader has
    info: { Title: pages[0]?.event ?? '', Creator: 'Tixxety', Producer: 'Tixxety' },
  });
  const chunks: Buffer[] = [];
  document.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<void>((resolve, reject) => document.once('end', resolve).once('error', reject));
  for (const page of pages) {
    beforePage();
    document.addPage();
    new Pen(document, sheet).drawTicket(page);
  }
  document.end();
  await ended;
  return Buffer.concat(chunks);
}

/** Writes from the top of a page down. */
class Pen {
  private y: number;
  private readonly width: number;

  constructor(
    private readonly document: Document,
    private readonly sheet: Sheet,
  ) {
    this.y = sheet.margin;
    this.width = sheet.width - 2 * sheet.margin;
  }

  drawTicket(page: TicketPage): void {
    const { title, value } = this.sheet;
    const { time, zone } = localTime(page.startTime, page.endTime, page.timezone);
    this.write(page.event, { weight: 700, size: title }, { maxLines: 3, smallest: 0.6 });
    this.y += title * 0.5;
    this.write(time, { weight: 400, size: value }, { maxLines: 2, smallest: 0.8 });
    this.write(`Local time (${zone})`, { weight: 400, size: value * 0.8 }, { colour: GREY });
    if (page.place !== null) {
      this.y += value * 0.4;
      this.write(page.place, { weight: 400, size: value }, { maxLines: 3, smallest: 0.7 });
    }
    this.y += value;
    this.drawCode(page.token);
    this.y += value;
    if (page.attendee !== null)
      this.field('Attendee', page.attendee, { maxLines: 2, smallest: 0.6, weight: 700, grow: 1.4 });
    this.field('Ticket', page.type, { maxLines: 2, smallest: 0.7 });
    this.field('Order', `${page.orderCode} · No. ${page.ticketId}`, {});
  }

  private field(
    label: string,
    text: string,
    { weight = 400, grow = 1, ...fit }: Fit & { weight?: Weight; grow?: number },
  ): void {
    this.write(label, { weight: 400, size: this.sheet.label }, { colour: GREY });
    this.write(text, { weight, size: this.sheet.value * grow }, fit);
    this.y += this.sheet.value * 0.45;
  }

  private write(text: string, style: Style, { maxLines = 1, smallest = 1, colour = BLACK }: Fit = {}): void {
    const { lines, size } = fitted(text, style, this.width, maxLines, smallest);
    this.document.fillColor(colour);
    for (const line of lines) {
      let x = this.sheet.margin;
      for (const { text, face, isRtl, width } of line) {
        face.isRtl = isRtl;
        // By a name of its own, pdfkit knows the font again. By the font's, which all files of a family share, it would put
        // another copy into the document for each piece.
        this.document.font(face.font(style.weight) as never, face.nameOf(style.weight), size);
        // With features, and be they none, pdfkit hands the font all of a piece at once.
        this.document.text(text, x, this.y + size, {
          lineBreak: false,
          features: [],
          baseline: 'alphabetic',
        });
        x += width;
      }
      this.y += size * 1.35;
    }
  }

  /** All of it as one shape: pieces side by side would leave hairlines between them. */
  private drawCode(token: string): void {
    const { modules } = qrOf(token);
    const step = this.sheet.code / modules.size;
    const left = (this.sheet.width - this.sheet.code) / 2;
    const top = this.y + QUIET_ZONE * step;
    for (let row = 0; row < modules.size; row++) {
      for (let column = 0; column < modules.size; column++) {
        const start = column;
        while (column < modules.size && modules.get(row, column)) column++;
        if (column > start)
          this.document.rect(left + start * step, top + row * step, (column - start) * step, step);
      }
    }
    this.document.fill(BLACK);
    this.y = top + this.sheet.code + QUIET_ZONE * step;
  }
}

interface Style {
  weight: Weight;
  size: number;
}

/** Pages of an event have most of their texts in common. */
const recent = new LRUCache<string, { lines: Line[]; size: number }>({ max: 500 });

/** Text becomes smaller until it fits, and is cut where it doesn't. */
function fitted(text: string, style: Style, width: number, maxLines: number, smallest: number) {
  const key = JSON.stringify([text, style, width, maxLines, smallest]);
  const known = recent.get(key);
  if (known) return known;
  const paragraph = new Paragraph(text, style.weight);
  const least = style.size * smallest;
  let { size } = style;
  let { lines, isCut } = paragraph.lines(size, width, maxLines);
  while (isCut && size > least) {
    size = Math.max(size * 0.9, least);
    ({ lines, isCut } = paragraph.lines(size, width, maxLines));
  }
  recent.set(key, { lines, size });
  return { lines, size };
}

/** How text is made to fit: into so many lines, as small as this share of its size. */
interface Fit {
  maxLines?: number;
  smallest?: number;
  colour?: string;
}
