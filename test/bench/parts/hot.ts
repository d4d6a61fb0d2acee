import { ratio } from '../figure';
import type { Part } from '../part';

/** Everybody wants the same event: the hardest case, and the usual one when sales begin. */
export const hot: Part = {
  name: 'hot',
  about: 'reservations of one event, beside bare Express and one statement per reservation',
  windows: [
    'bare Express',
    'one hot event',
    'one statement each, same app',
    'direct, our statement',
    'direct, simple statement',
  ],
  run: (_bench, window) => {
    const [express, ours] = [window('bare Express'), window('one hot event')];
    const direct = [window('direct, our statement'), window('direct, simple statement')];
    return {
      figures: [
        {
          name: 'reservations/s, one hot event ÷ bare Express echo/s',
          ...ratio(ours.perSecond, express.perSecond, '/s'),
          good: 'above',
          atLeast: 0.6,
          reachFor: 0.85,
        },
        {
          name: 'reservations/s, one hot event ÷ one statement per reservation by 32 direct connections on that event',
          ...ratio(ours.perSecond, Math.max(...direct.map(({ perSecond }) => perSecond)), '/s'),
          good: 'above',
          atLeast: 2,
          reachFor: 3,
        },
        {
          name: 'p99 latency at 64 connections, hot event ÷ p99 of bare Express',
          ...ratio(ours.p99, express.p99, 'ms'),
          good: 'below',
          atLeast: 2,
          reachFor: 1.2,
        },
      ],
      measurements: Object.fromEntries(hot.windows?.map((name) => [name, window(name)]) ?? []),
      notes: ['Of the two direct statements the faster one counts.'],
    };
  },
};
