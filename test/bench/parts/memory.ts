import type { Part } from '../part';

/** Comes last: how big the API has become that took the load of the parts before. */
export const memory: Part = {
  name: 'memory',
  about: 'resident memory of the API after the parts before it, at least after reservations',
  windows: ['one hot event'],
  run: async (bench) => {
    const { api } = await bench.few();
    return {
      figures: [
        {
          name: 'resident memory of the API after the bench',
          value: api.residentMb(),
          unit: 'MB',
          good: 'below',
          atLeast: 250,
          reachFor: 180,
        },
      ],
      measurements: {},
    };
  },
};
