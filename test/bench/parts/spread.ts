import { ratio } from '../figure';
import type { Part } from '../part';

/** Many events at once: every batch locks and updates as many rows as it has events. */
export const spread: Part = {
  name: 'spread',
  about: 'reservations spread over 1,000 events, beside one hot event',
  windows: ['one hot event', '1,000 events'],
  run: (_bench, window) => {
    const [ours, hot] = [window('1,000 events'), window('one hot event')];
    return {
      figures: [
        {
          name: 'reservations/s spread over 1,000 events ÷ one hot event',
          ...ratio(ours.perSecond, hot.perSecond, '/s'),
          good: 'above',
          atLeast: 0.8,
          reachFor: 1,
        },
      ],
      measurements: { 'one hot event': hot, '1,000 events': ours },
    };
  },
};
