import { ratio } from '../figure';
import { analyzeTables } from '../fill/bulk';
import { addSales } from '../fill/tickets';
import { interleave } from '../measure';
import type { Part } from '../part';
import { reserve } from '../windows';

/** What years of use do to the speed of selling. */
export const growth: Part = {
  name: 'growth',
  about: 'reservations with 10 million tickets and 1 million events in the tables; fills for minutes',
  onRequest: true,
  run: async (bench) => {
    const few = await bench.few();
    const grown = await bench.million();
    const count = bench.sized(10_000_000);
    await bench.timed(`Filling: ${count.toLocaleString('en')} tickets`, async () => {
      await addSales(grown.database, grown.users, count);
      await analyzeTables(grown.database, 'quotas', 'ticket_types', 'orders', 'tickets');
    });

    const measured = await interleave(
      bench.terms,
      {
        'few rows': (seconds) => reserve(bench, few, { seconds }),
        '10 million tickets, 1 million events': (seconds) => reserve(bench, grown, { seconds }),
      },
      bench.tell,
    );
    return {
      figures: [
        {
          name: 'reservations/s with 10 million tickets and 1 million events in the tables ÷ with few',
          ...ratio(
            measured['10 million tickets, 1 million events'].perSecond,
            measured['few rows'].perSecond,
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
