import { Client } from 'pg';
import { tokenOf } from '../../support/tokens';
import type { Bench, Site } from '../bench';
import { addHolds, openEvents } from '../fill/seats';
import { holderAt, type LoadResult } from '../load/job';
import { interleave } from '../measure';
import type { Part } from '../part';
import { pay, reserve } from '../windows';

const EVENTS = 50;

/** A row that somebody keeps locked, and one client who wants it all the while: what others notice. */
export const stuck: Part = {
  name: 'stuck',
  about: 'reservations and payments beside a locked row that one client wants, and without; sold-out answers',
  run: async (bench) => {
    const site = await bench.few();
    const reserving = (seconds: number) => reserve(bench, site, { seconds, events: EVENTS });
    const paying = (seconds: number) => pay(bench, site, seconds);
    const measured = await interleave(
      bench.terms,
      {
        reserving,
        'reserving beside a lock': (seconds) => besideCounters(site, () => reserving(seconds)),
        paying,
        'paying beside a lock': (seconds) => besideTicket(site, () => paying(seconds)),
        'sold out': (seconds) => askForSoldOut(bench, site, seconds),
      },
      bench.tell,
    );
    const ratio = (one: keyof typeof measured, other: keyof typeof measured) =>
      measured[one].perSecond / measured[other].perSecond;
    return {
      figures: [
        {
          name: 'reservations/s of other events beside a locked counter that a client wants ÷ without',
          value: ratio('reserving beside a lock', 'reserving'),
          good: 'above',
          atLeast: 0.6,
          reachFor: 0.85,
        },
        {
          name: 'payments/s beside a locked ticket that a client wants to pay ÷ without',
          value: ratio('paying beside a lock', 'paying'),
          good: 'above',
          atLeast: 0.6,
          reachFor: 0.85,
        },
        {
          name: '"sold out" answers/s ÷ reservations/s',
          value: ratio('sold out', 'reserving'),
          good: 'above',
          atLeast: 1,
          reachFor: 2,
        },
      ],
      measurements: measured,
    };
  },
};

async function besideCounters({ api, database, users }: Site, work: () => Promise<LoadResult>) {
  const event = await openEvents(database, 1, 1_000);
  const body = JSON.stringify({ user_id: users.first, event_id: event.first });
  const want = () => post(`${api.url}/tickets/`, users.first, body);
  return await beside(
    database.url,
    `SELECT FROM quotas WHERE event_id = ${event.first} FOR UPDATE`,
    want,
    work,
  );
}

async function besideTicket({ api, database, users }: Site, work: () => Promise<LoadResult>) {
  const event = await openEvents(database, 1, 1_000);
  const expiresAt = `now() + interval '1 day'`;
  const { first } = await addHolds(database, { event, users, count: 1, expiresAt });
  const want = () => post(`${api.url}/tickets/${first}/pay`, holderAt(users, 0));
  return await beside(
    database.url,
    `SELECT FROM orders WHERE id = (SELECT order_id FROM tickets WHERE id = ${first}) FOR UPDATE`,
    want,
    work,
  );
}

/** Locks by `lock` and wants what is locked, again and again, while `work` goes on. */
async function beside<Result>(
  databaseUrl: string,
  lock: string,
  want: () => Promise<unknown>,
  work: () => Promise<Result>,
): Promise<Result> {
  const locker = new Client({ connectionString: databaseUrl });
  await locker.connect();
  await locker.query('BEGIN');
  await locker.query(lock);
  const over = new AbortController();
  const wanting = (async () => {
    while (!over.signal.aborted) await want();
  })();
  try {
    return await work();
  } finally {
    over.abort();
    await locker.end();
    await wanting;
  }
}

async function post(url: string, userId: number, body?: string): Promise<void> {
  const headers = { Authorization: `Bearer ${tokenOf(userId)}`, 'Content-Type': 'application/json' };
  await (await fetch(url, { method: 'POST', headers, body })).text();
}

async function askForSoldOut(bench: Bench, { api, database, users }: Site, seconds: number) {
  const none = await openEvents(database, EVENTS, 0);
  const cases = [{ weight: 1, body: { user_id: users, event_id: none }, expected: ['409 event_sold_out'] }];
  const requests = { kind: 'mixed' as const, cases };
  return await bench.load.run(
    { target: { url: api.url }, connections: bench.connections, requests },
    seconds,
  );
}
