import type { Bench, Site } from '../bench';
import { ratio } from '../figure';
import { openGate } from '../fill/gate';
import type { LoadResult } from '../load/job';
import { interleave } from '../measure';
import type { Part } from '../part';
import { echo } from '../windows';

const DEVICES = 64;
/** More than can be checked in in a second. */
const SCANS_PER_SECOND = 12_000;

/** A queue in front of one event: every device scans one ticket after the other. */
export const gate: Part = {
  name: 'gate',
  about: 'check-ins at one event from 64 devices, beside bare Express',
  run: async (bench) => {
    const { database, users } = await bench.copyTemplate();
    const api = await bench.startApi(database, {});
    const express = await bench.bareExpress();
    const measured = await interleave(
      bench.terms,
      {
        'bare Express': (seconds) => echo(bench, seconds, express),
        'check-ins': (seconds) => checkIn(bench, { database, users, api }, seconds),
      },
      bench.tell,
    );
    const [bare, ours] = [measured['bare Express'], measured['check-ins']];
    return {
      figures: [
        {
          name: 'check-ins/s at one event from 64 devices ÷ bare Express echo/s',
          ...ratio(ours.perSecond, bare.perSecond, '/s'),
          good: 'above',
          atLeast: 0.5,
          reachFor: 0.8,
        },
        {
          name: 'p99 of check-ins ÷ p99 of bare Express',
          ...ratio(ours.p99, bare.p99, 'ms'),
          good: 'below',
          atLeast: 2,
          reachFor: 1.5,
        },
      ],
      measurements: measured,
    };
  },
};

async function checkIn(bench: Bench, { api, database, users }: Site, seconds: number): Promise<LoadResult> {
  const tickets = Math.ceil(SCANS_PER_SECOND * (seconds + 1));
  const { eventId, devices, scans } = await openGate(database, { users, devices: DEVICES, tickets });
  const result = await bench.load.run(
    {
      target: { url: api.url },
      connections: DEVICES,
      requests: { kind: 'post', path: `/events/${eventId}/check-ins`, bodies: scans, tokens: devices },
    },
    seconds,
  );
  const [row] = await database.sql<{ admitted: number }>(
    `SELECT count(DISTINCT ticket_id)::float8 AS admitted FROM check_ins WHERE event_id = $1 AND result = 'admitted'`,
    [eventId],
  );
  // An answer that the end of the measurement cut off may have let its ticket in.
  const answered = result.outcomes['200'] ?? 0;
  const admitted = row?.admitted ?? 0;
  if (admitted < answered || admitted > answered + DEVICES)
    throw new Error(`${answered} check-ins were answered, and ${admitted} tickets are in`);
  return result;
}
