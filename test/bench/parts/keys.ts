import { LoadProcess } from '../harness/load';
import { openEvents } from '../fill/seats';
import type { LoadResult } from '../load/job';
import { interleave } from '../measure';
import type { Part } from '../part';
import { checkReservations, reservations } from '../windows';

const KEYED = 16;

/** A client that sends each request with a key pays for it, and nobody else does. */
export const keys: Part = {
  name: 'keys',
  about: 'reservations of one event with an Idempotency-Key beside those without',
  run: async (bench) => {
    const { api, database, users } = await bench.few();
    const others = LoadProcess.start(bench.cleanup);
    const measure = async (seconds: number, isKeyed: boolean, neighbours = 0): Promise<LoadResult> => {
      const event = await openEvents(database, 1);
      const job = (connections: number, withKeys: boolean) => ({
        target: { url: api.url },
        connections,
        requests: { ...reservations(users, event), isKeyed: withKeys },
      });
      const beside = neighbours > 0 ? others.start(job(neighbours, true)) : undefined;
      const result = await bench.load.run(job(bench.connections - KEYED, isKeyed), seconds);
      const answers = [result, await beside?.stop()].map((load) => load?.outcomes['201'] ?? 0);
      const made = answers.reduce((sum, number) => sum + number);
      await checkReservations(database, event, { ...result, outcomes: { ...result.outcomes, '201': made } });
      return result;
    };
    const { keyed, unkeyed, beside } = await interleave(
      bench.terms,
      {
        unkeyed: (seconds) => measure(seconds, false),
        keyed: (seconds) => measure(seconds, true),
        beside: (seconds) => measure(seconds, false, KEYED),
      },
      bench.tell,
    );
    return {
      figures: [
        {
          name: 'reservations/s with an Idempotency-Key ÷ without, one hot event',
          value: keyed.perSecond / unkeyed.perSecond,
          good: 'above',
          atLeast: 0.6,
          reachFor: 0.75,
        },
        {
          name: `reservations/s of 48 connections without keys, beside ${KEYED} with keys on the same event ÷ alone`,
          value: beside.perSecond / unkeyed.perSecond,
          good: 'above',
          atLeast: 0.5,
          reachFor: 0.7,
        },
      ],
      measurements: { 'without keys': unkeyed, 'with keys': keyed, 'without, beside 16 with keys': beside },
      notes: [
        '16 more connections of 64 take their share: three quarters would be left where keys cost nothing.',
      ],
    };
  },
};
