import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { tradeForMoney } from './money';
import { answerLine, paint, requestLine } from './print';
import { startDemoServer } from './server';
import { endSignal, readArguments, runScript, say, ScriptError } from '../run-script';

const HOLD_SECONDS = 3;
/** How much later than its end a hold may keep its place here; twice what the contract promises. */
const RELEASE_LIMIT_MS = 1_000;

const HELP = `Usage: npm run demo

Starts a server of its own, whose holds last ${HOLD_SECONDS} seconds, and books on it; shows every request and every
answer, and fails when an answer is not what it should be.
`;

/** What an answer should be: its status, and of its body at least these fields. */
type Expected = [status: number, fields: object];

type Resource = Record<string, unknown> & { id: number };

/** A user who has signed up. */
type Person = Resource & { name: string; access_token: string };

runScript(async () => {
  const { values } = readArguments({ help: { type: 'boolean', short: 'h' } });
  if (values.help) {
    say(HELP);
    return;
  }
  const interruption = endSignal();
  // A reader of the output, such as `head`, may close it before the demo is done.
  process.stdout.on('error', () => undefined);
  say(paint('dim', 'Starting a server with a database of its own ...'));
  const server = await startDemoServer(HOLD_SECONDS);
  try {
    const signal = await Promise.race([journey(server.url), interruption]);
    if (signal) process.exitCode = signal === 'SIGINT' ? 130 : 1;
    else say(paint('green', '\nEvery answer was as expected.'));
  } finally {
    await server.stop();
  }
  process.exit();
});

async function journey(url: string): Promise<void> {
  let steps = 0;
  const step = (title: string, explanation: string) => {
    say(`\n${paint('bold', `${++steps}. ${title}`)}\n   ${paint('dim', explanation)}`);
  };
  const as = (caller?: Person) => ({
    get: (path: string, ...expected: Expected) => request(url, caller, 'GET', path, undefined, expected),
    post: (path: string, body: object | undefined, ...expected: Expected) =>
      request(url, caller, 'POST', path, body, expected),
  });
  const nobody = as();
  const signUp = async (body: object, fields: object) =>
    (await nobody.post('/users/', body, 201, { token_type: 'Bearer', ...fields })) as Person;

  step(
    'Ada signs up',
    'Her location is where "near me" will be; the access token says who she is from now on.',
  );
  const adaIs = { email: 'ada@example.com', location_latitude: 51.5072 };
  const ada = await signUp({ name: 'Ada', location_longitude: -0.1276, ...adaIs }, adaIs);

  step('An organizer creates an event', 'It has two places, in the north of London.');
  const olga = await signUp({ name: 'Olga', email: 'olga@example.com' }, {});
  const event = await as(olga).post(
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

  step('Ada finds it nearby', 'Events within 30 km that have not ended, nearest first.');
  await as(ada).get('/users/for-you/?max_distance_km=30', 200, [{ id: event.id, distance_km: 9.676 }]);

  step('Ada reserves', `The place is hers for ${HOLD_SECONDS} seconds here; it would be two minutes.`);
  const adas = await as(ada).post('/tickets/', { event_id: event.id }, 201, {
    user_id: ada.id,
    status: 'reserved',
    paid_at: null,
    expires_in_ms: HOLD_SECONDS * 1_000,
  });

  step('Ada pays', 'Now the place is sold.');
  await as(ada).post(`/tickets/${adas.id}/pay`, undefined, 200, { id: adas.id, status: 'paid' });

  step('Ada pays again', 'Nobody pays for one ticket twice.');
  await as(ada).post(`/tickets/${adas.id}/pay`, undefined, 409, { code: 'ticket_not_payable' });

  step('Bob signs up and reserves the last place', 'He does not need a location to book.');
  const bob = await signUp({ name: 'Bob', email: 'bob@example.com' }, { location_latitude: null });
  const reserved = Date.now();
  const bobs = await as(bob).post('/tickets/', { event_id: event.id }, 201, { status: 'reserved' });

  step('Cleo signs up, too late', 'Bob has not paid, but his place is his for now.');
  const cleo = await signUp({ name: 'Cleo', email: 'cleo@example.com' }, {});
  await as(cleo).post('/tickets/', { event_id: event.id }, 409, { code: 'event_sold_out' });

  step('Bob forgets to pay', 'His hold ends by itself, and his place is for sale again.');
  await countdown(reserved + HOLD_SECONDS * 1_000 - Date.now());
  await released(`${url}/events/${event.id}`);
  await nobody.get(`/events/${event.id}`, 200, { tickets_sold: 1, tickets_held: 0, tickets_available: 1 });
  await as(bob).get(`/tickets/${bobs.id}`, 200, { status: 'expired', paid_at: null });

  step("Cleo asks for Bob's ticket", 'What is not hers looks as if it were not there.');
  await as(cleo).get(`/tickets/${bobs.id}`, 404, { code: 'ticket_not_found' });

  step('Bob remembers', 'An expired ticket can not be paid any more.');
  await as(bob).post(`/tickets/${bobs.id}/pay`, undefined, 409, { code: 'ticket_not_payable' });

  step('Cleo tries again and pays', "She gets the place that was Bob's.");
  const cleos = await as(cleo).post('/tickets/', { event_id: event.id }, 201, {
    status: 'reserved',
  });
  await as(cleo).post(`/tickets/${cleos.id}/pay`, undefined, 200, { status: 'paid' });

  step('The books balance', 'Two places, two paid tickets, none too many.');
  await nobody.get(`/events/${event.id}`, 200, { tickets_sold: 2, tickets_held: 0, tickets_available: 0 });

  await tradeForMoney({ step, organizer: as(olga), buyer: as(ada) });
}

/** @throws {ScriptError} when the answer is not as expected */
async function request(
  url: string,
  caller: Person | undefined,
  method: string,
  path: string,
  body: object | undefined,
  [status, fields]: Expected,
): Promise<Resource> {
  say(requestLine(method, path, body, caller?.name));
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(caller && { Authorization: `Bearer ${caller.access_token}` }),
      ...(body && { 'Content-Type': 'application/json' }),
    },
    body: body && JSON.stringify(body),
  });
  const answer = (await response.json()) as Resource;
  say(answerLine(response.status, answer));
  if (response.status !== status || !contains(answer, fields)) {
    throw new ScriptError(`\nThis should have been ${status} with ${JSON.stringify(fields)}.`);
  }
  return answer;
}

/** True when `actual` has every field of `expected`, and is as long where that is a list. */
function contains(actual: unknown, expected: unknown): boolean {
  if (typeof actual !== 'object' || typeof expected !== 'object' || actual === null || expected === null) {
    return isDeepStrictEqual(actual, expected);
  }
  if (Array.isArray(expected) && (!Array.isArray(actual) || actual.length !== expected.length)) return false;
  return Object.entries(expected).every(([key, value]) =>
    contains((actual as Record<string, unknown>)[key], value),
  );
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
