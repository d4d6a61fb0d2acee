import { ratio } from '../figure';
import type { Part } from '../part';

/** Every user who reserved pays. */
export const pay: Part = {
  name: 'pay',
  about: 'payments for tickets of one event, beside bare Express',
  windows: ['bare Express', 'payments'],
  run: (_bench, window) => {
    const [express, ours] = [window('bare Express'), window('payments')];
    return {
      figures: [
        {
          name: 'payments/s on one hot event ÷ bare Express echo/s',
          ...ratio(ours.perSecond, express.perSecond, '/s'),
          good: 'above',
          atLeast: 0.55,
          reachFor: 0.8,
        },
      ],
      measurements: { 'bare Express': express, payments: ours },
    };
  },
};
