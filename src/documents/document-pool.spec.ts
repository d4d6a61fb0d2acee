import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '../problems/problem';
import { DocumentPool, MOST_WAITING } from './document-pool';
import type { DocumentOrder, TicketPage } from './worker/ticket-page';

const QR: DocumentOrder = { kind: 'svg', token: 'a token' };
/** Takes many times as long as a request has. */
const ENDLESS = 20_000;
const stays = () => new AbortController().signal;

const endless: DocumentOrder = {
  kind: 'pdf',
  format: 'a4',
  pages: Array.from({ length: ENDLESS }, (_, i): TicketPage => ({
    ticketId: i,
    token: `token ${i}`,
    event: 'Night of the Analytical Engine',
    place: null,
    startTime: new Date('2099-06-01T19:00:00Z'),
    endTime: new Date('2099-06-01T22:00:00Z'),
    timezone: 'Europe/Berlin',
    attendee: `Ada ${i}`,
    type: 'Stalls',
    orderCode: '0123456789',
  })),
};

describe('DocumentPool', () => {
  const pool = new DocumentPool();
  /** The first document loads what it is made with, which takes a while on a busy machine. */
  beforeAll(async () => {
    for (;;) {
      const made = await pool.make(QR, stays()).catch(() => undefined);
      if (made) return;
    }
  }, 60_000);
  afterAll(() => pool.onApplicationShutdown());

  /** A page may take its time on a busy machine; the thread would end by itself after some tries more. */
  const next = async (tries = 3): Promise<Uint8Array | undefined> =>
    tries === 0 ? undefined : await pool.make(QR, stays()).catch(() => next(tries - 1));

  const refusal = (made: Promise<unknown>) => made.catch((error: unknown) => error as Problem);

  it('gives up what takes too long, says what to ask for instead, and goes on with the next', async () => {
    const problem = await refusal(pool.make(endless, stays()));
    expect(problem).toMatchObject({ code: 'document_too_slow', headers: { 'Retry-After': '2' } });
    expect(await next()).toBeInstanceOf(Uint8Array);
  }, 30_000);

  it('asks for another try where it was the start of the thread that took too long', async () => {
    const cold = new DocumentPool();
    const busy = Array.from({ length: MOST_WAITING }, () => refusal(cold.make(endless, stays())));
    const refusals = (await Promise.all(busy)) as Problem[];
    // One at a time is made: the others did not come to their first page.
    expect(refusals.filter(({ code }) => code === 'document_too_slow').length).toBeLessThan(2);
    expect(refusals.filter(({ code }) => code === 'overloaded').length).toBeGreaterThanOrEqual(
      MOST_WAITING - 1,
    );
    await cold.onApplicationShutdown();
  }, 30_000);

  it('gives up what nobody waits for any more', async () => {
    const client = new AbortController();
    const theirs = [endless, ...Array<DocumentOrder>(MOST_WAITING).fill(QR)].map((order) =>
      refusal(pool.make(order, client.signal)),
    );
    expect(await refusal(pool.make(QR, stays()))).toMatchObject({ code: 'overloaded' });
    await sleep(100);
    client.abort();
    for (const problem of await Promise.all(theirs)) expect(problem).toBeInstanceOf(Problem);
    expect(await next()).toBeInstanceOf(Uint8Array);
  }, 30_000);
});
