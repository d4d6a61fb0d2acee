import { startTestApi, type TestApi } from './api';
import type { Answer, Client } from './client';
import { createDatabase, type TestDatabase } from './databases';
import { INVENTORY_MISMATCHES } from './seats';

export const REPLAYED = 'idempotent-replayed';

/** What of an answer is the same again, to the byte: the same length, and the same fields in the same order. */
export const exact = ({ status, headers, body }: Answer) => ({
  status,
  text: JSON.stringify(body),
  length: headers.get('content-length'),
  location: headers.get('location'),
  type: headers.get('content-type'),
});
export const isReplay = ({ headers }: Answer) => headers.get(REPLAYED) === 'true';
export const outcomeOf = ({ status, body }: Answer) =>
  status < 300 ? `${status}` : `${status} ${body.code}`;

/** What a suite about keys begins with: an API, and before each test a user and an event. The seats are counted after it. */
export function keyedSuite() {
  let database: TestDatabase;
  let api: TestApi;
  let user: { id: number; email: string };
  let event: { id: number };

  beforeAll(async () => {
    database = await createDatabase();
    api = await startTestApi({ DATABASE_URL: database.url, MAX_HOLDS_PER_USER_EVENT: '0' });
  });
  beforeEach(async () => {
    [user, event] = await Promise.all([api.create.user(), api.create.event()]);
  });
  afterEach(async () => expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]));
  afterAll(async () => {
    await api.stop();
    await database.drop();
  });

  const post = (path: string, body: unknown, key: string, client = api.client) =>
    client.post(path, body, { 'Idempotency-Key': key });
  return {
    get database() {
      return database;
    },
    get api() {
      return api;
    },
    get nobody(): Client {
      return api.client.as('');
    },
    get user() {
      return user;
    },
    get event() {
      return event;
    },
    get ticketBody() {
      return { user_id: user.id, event_id: event.id };
    },
    post,
    reserve: (key: string, client?: Client) =>
      post('/tickets/', { user_id: user.id, event_id: event.id }, key, client),
    tickets: () => api.sql('SELECT * FROM ticket_states WHERE event_id = $1', [event.id]),
  };
}
