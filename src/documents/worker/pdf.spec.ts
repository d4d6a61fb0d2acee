import { pdfOf } from './pdf';
import type { TicketPage } from './ticket-page';

const TICKETS = 10;
const LETTERS = 100;
/** Letters of Chinese, from all over the alphabet: of a hundred files of the font. */
const RARE = Array.from({ length: TICKETS * LETTERS }, (_, i) =>
  String.fromCodePoint(0x4e00 + ((i * 7_919) % 20_000)),
);

const pageFor = (attendee: string): TicketPage => ({
  ticketId: 1,
  token: 'x'.repeat(100),
  event: 'Night of the Analytical Engine',
  place: null,
  startTime: new Date('2099-06-01T19:00:00Z'),
  endTime: new Date('2099-06-01T22:00:00Z'),
  timezone: 'Europe/Berlin',
  attendee,
  type: 'Stalls',
  orderCode: '0123456789',
});
/** A name for each ticket; each run has others, for names that were shown before are known. */
const pagesOf = (letters: string[], run: number) =>
  Array.from({ length: TICKETS }, (_, i) => {
    const own = letters.slice(i * LETTERS, (i + 1) * LETTERS);
    return pageFor([...own.slice(run), ...own.slice(0, run)].join(''));
  });
const fontsIn = (pdf: Buffer) => pdf.toString('latin1').match(/\/FontFile\d/g)?.length ?? 0;

describe('the PDF of many tickets', () => {
  it('has each font once, however many of its letters and tickets there are', async () => {
    const letters = RARE.slice(0, LETTERS);
    const [one, many] = await Promise.all(
      [1, TICKETS].map((tickets) =>
        pdfOf(
          Array.from({ length: tickets }, (_, i) =>
            pageFor([...letters.slice(i), ...letters.slice(0, i)].join('')),
          ),
          'a4',
        ),
      ),
    );
    expect(fontsIn(one as Buffer)).toBeGreaterThan(10);
    expect(fontsIn(many as Buffer)).toBeLessThan(1.3 * fontsIn(one as Buffer));
  });

  it('takes no unseemly time longer for rare letters than for common ones', async () => {
    const common = RARE.map((_, i) => String.fromCharCode(0x61 + ((i * 7) % 26)));
    const fastest = async (letters: string[]) => {
      const times: number[] = [];
      for (let run = 0; run < 5; run++) {
        const began = performance.now();
        await pdfOf(pagesOf(letters, run), 'a4');
        times.push(performance.now() - began);
      }
      return Math.min(...times);
    };
    const [slow, fast] = [await fastest(RARE), await fastest(common)];
    expect(slow / fast).toBeLessThan(5);
  }, 60_000);
});
