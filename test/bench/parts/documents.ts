import type { Bench, Site } from '../bench';
import { ratio, type Figure } from '../figure';
import { addOrders, openSales } from '../fill/sales';
import type { LoadResult } from '../load/job';
import { adminToken } from '../load/tokens';
import { interleave, summarize } from '../measure';
import type { Part } from '../part';
import { reserve } from '../windows';

const ATTENDEES = 100_000;
const MEAN_TICKETS = 4.5;
/** PDFs that are made while people reserve, over all rounds. */
const PDFS = 1_000;
/** Fewer than wait: none is refused. */
const READERS = 4;

/** Documents are made in a thread of their own, and those who reserve do not wait for it. */
export const documents: Part = {
  name: 'documents',
  about: 'QR codes and PDFs, reservations beside them, attendees as CSV',
  run: async (bench) => {
    const { database, users } = await bench.copyTemplate();
    // A network has its documents one after the other; here all ask from one.
    const api = await bench.startApi(database, { RATE_LIMIT_PER_MINUTE: '0' });
    const site = { database, users, api };
    const { eventId, tickets } = await bench.timed('Filling: 100,000 attendees', () => sell(bench, site));
    const paths = (kind: string) => tickets.slice(0, 1_000).map((id) => `/tickets/${id}${kind}`);
    const get = (kind: string) => (seconds: number) =>
      bench.load.run(
        { target: { url: api.url }, connections: READERS, requests: { kind: 'get', paths: paths(kind) } },
        seconds,
      );
    // Each round measures there and back.
    const share = bench.sized(PDFS / (2 * bench.terms.rounds));
    let made = 0;
    const beside = async (seconds: number): Promise<LoadResult> => {
      const reading = readWhile(api.url, paths('.pdf'));
      const results: LoadResult[] = [];
      do results.push(await reserve(bench, site, { seconds }));
      while (reading.made() < share);
      made += await reading.stop();
      return summarize(results);
    };
    const measured = await interleave(
      bench.terms,
      {
        'QR codes as SVG': get('/qr.svg'),
        'QR codes as PNG': get('/qr.png'),
        PDFs: get('.pdf'),
        reservations: (seconds) => reserve(bench, site, { seconds }),
        'reservations beside PDFs': beside,
      },
      bench.tell,
    );
    const quiet = measured.reservations.perSecond;
    const csv = await readCsv(api, eventId);
    return {
      figures: [
        {
          name: 'reservations/s while PDFs are made ÷ reservations/s',
          ...ratio(measured['reservations beside PDFs'].perSecond, quiet, '/s'),
          good: 'above',
          atLeast: 0.9,
        },
        ...csv,
      ],
      measurements: measured,
      notes: [`${made} PDFs were made beside the reservations.`],
    };
  },
};

async function sell(bench: Bench, { database, users }: Site) {
  const sale = await openSales(database, { kind: 'one', count: 1 });
  const { orders } = await addOrders(database, {
    sale,
    users,
    count: bench.sized(Math.ceil(ATTENDEES / MEAN_TICKETS)),
    expiresAt: `now() + interval '1 day'`,
    status: 'paid',
  });
  await database.sql('ANALYZE orders, tickets');
  const rows = await database.sql<{ id: number }>(
    'SELECT id::float8 AS id FROM tickets WHERE order_id >= $1 ORDER BY id',
    [orders.first],
  );
  return { eventId: sale.events.first, tickets: rows.map(({ id }) => id) };
}

/** Asks for documents, one after the other for each reader, until it is stopped. */
function readWhile(url: string, paths: string[]) {
  let isOver = false;
  let next = 0;
  let made = 0;
  const headers = { Authorization: `Bearer ${adminToken()}` };
  const readers = Array.from({ length: READERS }, async () => {
    while (!isOver) {
      const answer = await fetch(`${url}${paths[next++ % paths.length]}`, { headers });
      await answer.arrayBuffer();
      if (answer.ok) made++;
    }
  });
  return {
    made: () => made,
    /** @returns how many were made */
    stop: async () => {
      isOver = true;
      await Promise.all(readers);
      return made;
    },
  };
}

/** How long all attendees take, and what they take of memory. */
async function readCsv({ url, residentMb }: Site['api'], eventId: number): Promise<Figure[]> {
  const before = residentMb();
  const start = performance.now();
  const answer = await fetch(`${url}/events/${eventId}/attendees`, {
    headers: { Authorization: `Bearer ${adminToken()}`, Accept: 'text/csv' },
  });
  let first: number | undefined;
  let most = before;
  let lines = 0;
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
    first ??= performance.now() - start;
    lines += Buffer.from(chunk).toString('latin1').split('\n').length - 1;
    most = Math.max(most, residentMb());
  }
  const all = (performance.now() - start) / 1_000;
  return [
    {
      name: `first byte of ${lines - 1} attendees as CSV`,
      value: (first ?? NaN) / 1_000,
      unit: 's',
      good: 'below',
      atLeast: 0.2,
    },
    { name: 'all of them', value: all, unit: 's', good: 'below', atLeast: 60 },
    { name: 'memory that they took', value: most - before, unit: 'MB', good: 'below', atLeast: 40 },
  ];
}
