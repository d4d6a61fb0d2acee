/* The journey of a booking as a client walks it whose types come from openapi.json; what it asks for has to exist there. */
import createClient from 'openapi-fetch';
import type { paths } from './generated/openapi-typescript/schema.js';

declare const process: { argv: string[] };

const client = createClient<paths>({ baseUrl: process.argv[2] ?? 'http://127.0.0.1:8000' });

/** The body of an answer, or an end with what the server said. */
function dataOf<Data>({ data, error, response }: { data?: Data; error?: unknown; response: Response }): Data {
  if (data === undefined)
    throw new Error(`${response.url} answered ${response.status}: ${JSON.stringify(error)}`);
  return data;
}

function expectEqual(actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${String(actual)} should have been ${String(expected)}`);
}

const email = `ada.${Date.now()}@example.com`;
const password = 'notes on the engine';

const user = dataOf(
  await client.POST('/users', {
    body: { name: 'Ada', email, password, location_latitude: 51.5072, location_longitude: -0.1276 },
  }),
);
const tokens = dataOf(
  await client.POST('/auth/token', { body: { grant_type: 'password', username: email, password } }),
);
client.use({
  onRequest: ({ request }) => request.headers.set('Authorization', `Bearer ${tokens.access_token}`),
});

const event = dataOf(
  await client.POST('/events', {
    body: {
      title: 'Night of the Analytical Engine',
      start_time: '2099-06-01T19:00:00Z',
      end_time: '2099-06-01T22:00:00Z',
      total_tickets: 1,
      venue: { latitude: 51.5942, longitude: -0.1306 },
    },
  }),
);
const nearby = dataOf(await client.GET('/users/for-you', { params: { query: { max_distance_km: 30 } } }));
expectEqual(nearby.find(({ id }) => id === event.id)?.distance_km, 9.676);

const reserve = async (key: string) =>
  await client.POST('/tickets', {
    params: { header: { 'Idempotency-Key': key } },
    body: { event_id: event.id },
  });
const ticket = dataOf(await reserve('first'));
expectEqual(ticket.status, 'reserved');
expectEqual(dataOf(await reserve('first')).id, ticket.id);

const path = { ticket_id: ticket.id };
expectEqual(dataOf(await client.POST('/tickets/{ticket_id}/pay', { params: { path } })).status, 'paid');

const soldOut = await reserve('second');
expectEqual(soldOut.response.status, 409);
expectEqual(soldOut.error?.code, 'event_sold_out');

const tickets = dataOf(
  await client.GET('/users/{user_id}/tickets', { params: { path: { user_id: user.id } } }),
);
expectEqual(tickets.map(({ status }) => status).join(), 'paid');
