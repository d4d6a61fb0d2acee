import { setTimeout as sleep } from 'node:timers/promises';
import { say } from '../run-script';
import type { Person, Resource, Visitor } from './visitor';

/** How much later than its end a hold may keep its place here; twice what the contract promises. */
const RELEASE_LIMIT_MS = 1_000;

/** What was sold last, for the gate. */
export interface Sold {
  organizer: Person;
  event: Resource;
  ticket: Resource;
}

/** One free ticket at a time: held, paid, forgotten, and sold to somebody else. */
export async function singleTickets(visitor: Visitor, holdSeconds: number): Promise<Sold> {
  visitor.step(
    'Ada signs up',
    'Her location is where "near me" will be; the access token says who she is from now on.',
  );
  const adaIs = { email: 'ada@example.com', location_latitude: 51.5072 };
  const ada = await visitor.signUp({ name: 'Ada', location_longitude: -0.1276, ...adaIs }, adaIs);

  visitor.step('An organizer creates an event', 'It has two places, in the north of London.');
  const olga = await visitor.signUp({ name: 'Olga', email: 'olga@example.com' });
  const event = await visitor.as(olga).post(
    '/events/',
    {
      title: 'Night of the Analytical Engine',
      start_time: '2099-06-01T19:00:00Z',
      end_time: '2099-06-01T22:00:00Z',
      total_tickets: 2,
      venue: { address: 'Alexandra Palace', latitude: 51.5942, longitude: -0.1306 },
    },
    201,
    { total_tickets: 2, tickets_sold: 0, tickets_held: 0, tickets_available: 2 },
  );

  visitor.step('Ada finds it nearby', 'Events within 30 km that have not ended, nearest first.');
  await visitor
    .as(ada)
    .get('/users/for-you/?max_distance_km=30', 200, [{ id: event.id, distance_km: 9.676 }]);

  visitor.step('Ada reserves', `The place is hers for ${holdSeconds} seconds here; it would be two minutes.`);
  const adas = await visitor.as(ada).post('/tickets/', { event_id: event.id }, 201, {
    user_id: ada.id,
    status: 'reserved',
    paid_at: null,
    expires_in_ms: holdSeconds * 1_000,
  });

  visitor.step('Ada pays', 'Now the place is sold.');
  await visitor.as(ada).post(`/tickets/${adas.id}/pay`, undefined, 200, { id: adas.id, status: 'paid' });

  visitor.step('Ada pays again', 'Nobody pays for one ticket twice.');
  await visitor.as(ada).post(`/tickets/${adas.id}/pay`, undefined, 409, { code: 'ticket_not_payable' });

  visitor.step('Bob signs up and reserves the last place', 'He does not need a location to book.');
  const bob = await visitor.signUp({ name: 'Bob', email: 'bob@example.com' }, { location_latitude: null });
  const reserved = Date.now();
  const bobs = await visitor.as(bob).post('/tickets/', { event_id: event.id }, 201, { status: 'reserved' });

  visitor.step('Cleo signs up, too late', 'Bob has not paid, but his place is his for now.');
  const cleo = await visitor.signUp({ name: 'Cleo', email: 'cleo@example.com' });
  await visitor.as(cleo).post('/tickets/', { event_id: event.id }, 409, { code: 'event_sold_out' });

  visitor.step('Bob forgets to pay', 'His hold ends by itself, and his place is for sale again.');
  await countdown(reserved + holdSeconds * 1_000 - Date.now());
  await released(`${visitor.url}/events/${event.id}`);
  await visitor
    .as()
    .get(`/events/${event.id}`, 200, { tickets_sold: 1, tickets_held: 0, tickets_available: 1 });
  await visitor.as(bob).get(`/tickets/${bobs.id}`, 200, { status: 'expired', paid_at: null });

  visitor.step("Cleo asks for Bob's ticket", 'What is not hers looks as if it were not there.');
  await visitor.as(cleo).get(`/tickets/${bobs.id}`, 404, { code: 'ticket_not_found' });

  visitor.step('Bob remembers', 'An expired ticket can not be paid any more.');
  await visitor.as(bob).post(`/tickets/${bobs.id}/pay`, undefined, 409, { code: 'ticket_not_payable' });

  visitor.step('Cleo tries again and pays', "She gets the place that was Bob's.");
  const cleos = await visitor.as(cleo).post('/tickets/', { event_id: event.id }, 201, {
    status: 'reserved',
  });
  const ticket = await visitor.as(cleo).post(`/tickets/${cleos.id}/pay`, undefined, 200, { status: 'paid' });

  visitor.step('The books balance', 'Two places, two paid tickets, none too many.');
  await visitor
    .as()
    .get(`/events/${event.id}`, 200, { tickets_sold: 2, tickets_held: 0, tickets_available: 0 });
  return { organizer: olga, event, ticket };
}

async function countdown(milliseconds: number): Promise<void> {
  const end = Date.now() + milliseconds;
  if (!process.stdout.isTTY) say(`   ... waiting ${seconds(milliseconds)} for the hold to end`);
  while (Date.now() < end) {
    if (process.stdout.isTTY) process.stdout.write(`\r   ... ${seconds(end - Date.now())} left `);
    await sleep(Math.min(100, end - Date.now()));
  }
  if (process.stdout.isTTY) process.stdout.write('\r\u001B[K');
}

/** Waits for the place of the hold that has just ended. */
async function released(eventUrl: string): Promise<void> {
  const begun = Date.now();
  const isBack = async () => ((await (await fetch(eventUrl)).json()) as Resource).tickets_available === 1;
  while (!(await isBack()) && Date.now() < begun + RELEASE_LIMIT_MS) await sleep(20);
  say(`   ... the hold has ended; its place was back ${Date.now() - begun} ms later`);
}

const seconds = (milliseconds: number) => `${(milliseconds / 1_000).toFixed(1)} s`;
