import type { Bench, Site } from '../bench';
import { ratio } from '../figure';
import { analyzeTables } from '../fill/bulk';
import { addSales } from '../fill/tickets';
import { interleave } from '../measure';
import type { Part } from '../part';
import { placeOrders, reserve, ROOMY } from '../windows';

/** What years of use do to the speed of selling. */
export const growth: Part = {
  name: 'growth',
  about:
    'single tickets and orders with 10 million tickets and 1 million events in the tables; fills for minutes',
  onRequest: true,
  run: async (bench) => {
    const few = await withRoom(bench, await bench.few());
    const grown = await withRoom(bench, await bench.million());
    const tickets = bench.sized(10_000_000);
    await bench.timed(`Filling: ${tickets.toLocaleString('en')} tickets`, async () => {
      await addSales(grown.database, grown.users, tickets);
      await analyzeTables(grown.database, 'quotas', 'ticket_types', 'orders', 'tickets');
    });

    const order = (site: Site) => (seconds: number) =>
      placeOrders(bench, site, { kind: 'four', count: bench.sized(1_000), seconds });
    const measured = await interleave(
      bench.terms,
      {
        'single tickets, few rows': (seconds) => reserve(bench, few, { seconds }),
        'single tickets, 10 million': (seconds) => reserve(bench, grown, { seconds }),
        'orders, few rows': order(few),
        'orders, 10 million tickets': order(grown),
      },
      bench.tell,
    );
    return {
      figures: [
        {
          name: 'reservations/s with 10 million tickets and 1 million events in the tables ÷ with few',
          ...ratio(
            measured['single tickets, 10 million'].perSecond,
            measured['single tickets, few rows'].perSecond,
            '/s',
          ),
          good: 'above',
          atLeast: 0.85,
          reachFor: 1,
        },
        {
          name: 'orders/s over 1,000 events with five quotas each, with 10 million tickets in 3 million orders ÷ with few',
          ...ratio(
            measured['orders, 10 million tickets'].perSecond,
            measured['orders, few rows'].perSecond,
            '/s',
          ),
          good: 'above',
          atLeast: 0.85,
          reachFor: 1,
        },
      ],
      measurements: measured,
    };
  },
};

/** The site with an API that has room for orders. */
async function withRoom(bench: Bench, { database, users }: Site): Promise<Site> {
  return { database, users, api: await bench.startApi(database, ROOMY) };
}
