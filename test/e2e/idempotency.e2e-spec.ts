import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client as Connection } from 'pg';
import { IdempotencyService } from '../../src/idempotency/idempotency.service';
import { FIND_STUCK_EVENTS } from '../../src/inventory/find-stuck.statements';
import { RELEASE_DUE_HOLDS } from '../../src/inventory/release-due-holds.statements';
import { WakeUpSender } from '../../src/queue/wake-up-sender';
import { startTestApi, type TestApi } from '../support/api';
import { startFaultProxy } from '../support/fault-proxy';
import { Client, type Answer } from '../support/client';
import { createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { eventBody, factoriesFor, userBody, withoutTokens } from '../support/factories';
import { expectProblem } from '../support/problems';
import { startMain, type RunningProcess } from '../support/processes';
import { INVENTORY_MISMATCHES } from '../support/seats';
import { TEST_SECRET, tokenOf } from '../support/tokens';

const REPLAYED = 'idempotent-replayed';

/** What of an answer is the same again, to the byte: the same length, and the same fields in the same order. */
const exact = ({ status, headers, body }: Answer) => ({
  status,
  text: JSON.stringify(body),
  length: headers.get('content-length'),
  location: headers.get('location'),
  type: headers.get('content-type'),
});
const isReplay = ({ headers }: Answer) => headers.get(REPLAYED) === 'true';
const outcomeOf = ({ status, body }: Answer) => (status < 300 ? `${status}` : `${status} ${body.code}`);

describe('a POST with an Idempotency-Key', () => {
  let database: TestDatabase;
  let api: TestApi;
  let nobody: Client;
  let user: { id: number; email: string };
  let event: { id: number };
  let ticketBody: { user_id: number; event_id: number };

  beforeAll(async () => {
    database = await createDatabase();
    api = await startTestApi({ DATABASE_URL: database.url, MAX_HOLDS_PER_USER_EVENT: '0' });
    nobody = api.client.as('');
  });
  beforeEach(async () => {
    [user, event] = await Promise.all([api.create.user(), api.create.event()]);
    ticketBody = { user_id: user.id, event_id: event.id };
  });
  afterEach(async () => expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]));
  afterAll(async () => {
    await api.stop();
    await database.drop();
  });

  const post = (path: string, body: unknown, key: string, client = api.client) =>
    client.post(path, body, { 'Idempotency-Key': key });
  const reserve = (key: string, client = api.client) => post('/tickets/', ticketBody, key, client);
  const tickets = () => api.sql('SELECT * FROM tickets WHERE event_id = $1', [event.id]);
  const keys = () => api.sql<{ id: Buffer; answer: Buffer }>('SELECT * FROM idempotency_keys');

  describe('has one effect and one answer', () => {
    it('when it is sent five times at once', async () => {
      const key = randomUUID();
      const answers = await Promise.all(Array.from({ length: 5 }, () => reserve(key)));
      const done = answers.filter(({ status }) => status === 201);
      expect(done.filter((answer) => !isReplay(answer))).toHaveLength(1);
      for (const answer of answers) {
        if (answer.status === 201) continue;
        expectProblem(answer, 409, 'idempotency_in_progress');
        expect(answer.headers.get('retry-after')).toBe('1');
      }
      expect(await tickets()).toHaveLength(1);
      const later = await reserve(key);
      expect([...done, later].map(exact)).toEqual([...done, later].map(() => exact(later)));
      expect(isReplay(later)).toBe(true);
    });

    it('while it is still being worked on', async () => {
      const key = randomUUID();
      const rival = await lockSeats();
      const first = reserve(key);
      await database.untilBlocked();
      expectProblem(await reserve(key), 409, 'idempotency_in_progress');
      await rival.commit();
      expect((await first).status).toBe(201);
      expect(exact(await reserve(key))).toEqual(exact(await first));
    });

    it.each(['paid', 'cancelled', 'expired'])('whatever became of the ticket since: %s', async (fate) => {
      const key = randomUUID();
      const first = await reserve(key);
      expect(first.status).toBe(201);
      expect(first.headers.has(REPLAYED)).toBe(false);
      const { id } = first.body;
      if (fate === 'expired') await api.sql('UPDATE tickets SET expires_at = now() WHERE id = $1', [id]);
      else await api.client.post(`/tickets/${id}/${fate === 'paid' ? 'pay' : 'cancel'}`);
      await eventually(async () => expect((await tickets())[0].status).toBe(fate));

      const second = await reserve(key);
      expect(exact(second)).toEqual(exact(first));
      expect(exact(second)).toMatchObject({
        location: `/tickets/${id}`,
        type: 'application/json; charset=utf-8',
      });
      expect(isReplay(second)).toBe(true);
      expect(await tickets()).toHaveLength(1);
    });

    it.each(['pay', 'cancel'])('when it is to %s', async (verb) => {
      const { id } = (await reserve(randomUUID())).body;
      const key = randomUUID();
      const answers: Answer[] = [];
      for (let i = 0; i < 3; i++) answers.push(await post(`/tickets/${id}/${verb}`, undefined, key));
      const [first] = answers as [Answer];
      expect(first).toMatchObject({
        status: 200,
        body: { id, status: verb === 'pay' ? 'paid' : 'cancelled' },
      });
      expect(answers.map(exact)).toEqual(answers.map(() => exact(first)));
      expect(answers.map(isReplay)).toEqual([false, true, true]);
      // Under another key it is another request.
      expect((await post(`/tickets/${id}/${verb}`, undefined, randomUUID())).status).toBe(409);
    });

    it('when it creates an event with its seats', async () => {
      const key = randomUUID();
      const body = { ...eventBody(), title: key };
      const first = await post('/events/', body, key);
      const second = await post('/events', body, key);
      expect([first.status, isReplay(second), exact(second)]).toEqual([201, true, exact(first)]);
      const made = await api.sql(
        'SELECT capacity FROM events JOIN inventory ON event_id = id WHERE title = $1',
        [key],
      );
      expect(made).toEqual([{ capacity: 10 }]);
    });

    it('when it signs up, which nobody in particular does', async () => {
      const [key, body] = [randomUUID(), userBody()];
      const first = await post('/users/', body, key, nobody);
      const second = await post('/users/', body, key, nobody);
      expect([first.status, second.status, isReplay(second)]).toEqual([201, 201, true]);
      expect(first.body.access_token).toMatch(/./);
      // Knowing the request is no proof of being the account's owner.
      expect(withoutTokens(second.body)).toEqual(withoutTokens(first.body));
      expect(JSON.stringify(second.body)).not.toMatch(/token/);
      // Another caller with that key learns nothing of it.
      const other = await post('/users/', userBody(), key, nobody);
      expect([other.status, isReplay(other)]).toEqual([201, false]);
    });

    it.each<[string, () => Promise<[path: string, body: unknown]>, effects: string]>([
      [
        'reserves',
        () => Promise.resolve(['/tickets/', ticketBody]),
        'SELECT FROM tickets WHERE event_id = $1',
      ],
      [
        'pays',
        async () => [`/tickets/${(await api.create.ticket(ticketBody)).id}/pay`, undefined],
        `SELECT FROM tickets WHERE event_id = $1 AND status = 'paid'`,
      ],
      [
        'creates an event',
        () => Promise.resolve(['/events/', eventBody()]),
        'SELECT FROM events JOIN inventory ON event_id = id WHERE id > $1',
      ],
      ['signs up', () => Promise.resolve(['/users/', userBody()]), 'SELECT FROM users WHERE email = $1'],
    ])('when it %s and PostgreSQL gives up on the first try', async (_what, request, effects) => {
      const [path, body] = await request();
      const send = jest.spyOn(api.app.get(WakeUpSender), 'wakeAtExpiry');
      await api.sql('CREATE SEQUENCE tries');
      await api.sql(`
        CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF nextval('tries') = 1 THEN RAISE 'no luck' USING ERRCODE = 'serialization_failure'; END IF;
          RETURN NEW;
        END $$`);
      await api.sql(
        'CREATE TRIGGER luck BEFORE INSERT ON idempotency_keys FOR EACH ROW EXECUTE FUNCTION fail_once()',
      );
      const { status } = await post(path, body, randomUUID());
      const [{ last_value: tries }] = await api.sql('SELECT last_value FROM tries');
      await api.sql('DROP FUNCTION fail_once CASCADE');
      await api.sql('DROP SEQUENCE tries');
      expect({ isDone: status < 300, tries }).toEqual({ isDone: true, tries: 2 });
      expect(
        await api.sql(effects, [(body as { email?: string } | undefined)?.email ?? event.id]),
      ).toHaveLength(1);
      // The queue hears of a ticket that was committed, and of no other.
      expect(send).toHaveBeenCalledTimes(path === '/tickets/' ? 1 : 0);
      send.mockRestore();
    });
  });

  describe('gets the refusal again that it got first', () => {
    it('though it would be granted now', async () => {
      await api.sql('UPDATE inventory SET capacity = 0 WHERE event_id = $1', [event.id]);
      const key = randomUUID();
      const first = await reserve(key);
      expectProblem(first, 409, 'event_sold_out');
      await api.sql('UPDATE inventory SET capacity = 10 WHERE event_id = $1', [event.id]);
      const second = await reserve(key);
      expect([isReplay(second), exact(second)]).toEqual([true, exact(first)]);
      expect(second.body.request_id).toBe(first.headers.get('x-request-id'));
      expect((await reserve(randomUUID())).status).toBe(201);
    });

    it('for a resource that is not there', async () => {
      const key = randomUUID();
      const first = await post('/tickets/999999/pay', undefined, key);
      expectProblem(first, 404, 'ticket_not_found');
      const second = await post('/tickets/999999/pay', undefined, key);
      expect([isReplay(second), exact(second)]).toEqual([true, exact(first)]);
    });

    it('where a statement failed to find out', async () => {
      const [key, body] = [randomUUID(), { ...userBody(), email: user.email }];
      const first = await post('/users/', body, key, nobody);
      expectProblem(first, 409, 'email_taken');
      await api.sql('UPDATE users SET email = $1 WHERE id = $2', [userBody().email, user.id]);
      const second = await post('/users/', body, key, nobody);
      expect([isReplay(second), exact(second)]).toEqual([true, exact(first)]);
    });

    it('where the driver hears of the failed statement before it hears that the transaction failed', async () => {
      const proxy = await startFaultProxy(database.url);
      const distant = await startTestApi({ DATABASE_URL: proxy.url });
      proxy.splitAnswers();
      const [key, body] = [randomUUID(), { ...userBody(), email: user.email }];
      const first = await post('/users/', body, key, distant.client.as(''));
      expectProblem(first, 409, 'email_taken');
      expect(exact(await post('/users/', body, key, nobody))).toEqual(exact(first));
      await distant.stop();
      await proxy.cut();
    });

    it('unless its input did not validate: then the key is still new', async () => {
      const key = randomUUID();
      expectProblem(await post('/tickets/', { ...ticketBody, seat: 1 }, key), 422, 'validation_failed');
      const second = await reserve(key);
      expect([second.status, isReplay(second)]).toEqual([201, false]);
    });
  });

  describe('is refused when its key belongs to another request', () => {
    it.each<[string, () => [path: string, body: unknown]]>([
      ['with another body', () => ['/tickets/', { ...ticketBody, event_id: event.id + 1_000_000 }]],
      ['on another route', () => [`/tickets/${event.id}/pay`, undefined]],
      ['for another ticket', () => ['/tickets/999999/cancel', undefined]],
    ])('%s', async (_what, other) => {
      const key = randomUUID();
      const first = await reserve(key);
      expectProblem(await post(...other(), key), 422, 'idempotency_key_reused');
      expect(exact(await reserve(key))).toEqual(exact(first));
    });

    it('but not when the body only looks different', async () => {
      const key = randomUUID();
      const first = await reserve(key);
      const body = ` {\n"event_id" : ${event.id}.0,\t"user_id":${user.id} } `;
      const headers = { 'Idempotency-Key': key, 'Content-Type': 'application/json' };
      const second = await api.client.send('POST', '/tickets', { headers, body });
      expect([isReplay(second), exact(second)]).toEqual([true, exact(first)]);
    });

    it('but not when the key is that of another caller', async () => {
      const key = randomUUID();
      const own = api.client.as(tokenOf(user.id));
      const answers = [await reserve(key), await reserve(key, own), await reserve(key, own)];
      expect(answers.map(outcomeOf)).toEqual(['201', '201', '201']);
      expect(answers.map(isReplay)).toEqual([false, false, true]);
      expect(await tickets()).toHaveLength(2);
    });
  });

  describe('names its key', () => {
    it.each([
      ['1 character', '!'],
      ['255 characters', '~'.repeat(255)],
      ['quotes', '"8e03978e-40d5-43dd-bc93-6894a57f9324"'],
    ])('with %s', async (_what, key) => {
      expect([(await reserve(key)).status, isReplay(await reserve(key))]).toEqual([201, true]);
    });

    it.each([
      ['nothing', ''],
      ['256 characters', 'k'.repeat(256)],
      ['a space', 'a b'],
      ['a letter beyond ASCII', 'schlüssel'],
      ['a tab', 'a\tb'],
    ])('but not with %s', async (_what, key) => {
      const answer = await reserve(key);
      expectProblem(answer, 422, 'validation_failed', { pointers: ['/Idempotency-Key'] });
      expect(answer.body.errors[0].detail).toBe('must be given once, as 1 to 255 visible ASCII characters');
      expect(await tickets()).toEqual([]);
    });

    it('and not twice', async () => {
      expect(await rawPost(['Idempotency-Key: a', 'Idempotency-Key: a'])).toMatch(/^HTTP\/1\.1 422 /);
      expect(await rawPost(['Idempotency-Key: a'])).toMatch(/^HTTP\/1\.1 404 /);
    });

    it('where another method ignores it', async () => {
      const [before, { status, headers }] = [
        await keys(),
        await api.client.get(`/events/${event.id}`, { 'Idempotency-Key': 'not even a good one' }),
      ];
      expect([status, headers.has(REPLAYED), await keys()]).toEqual([200, false, before]);
    });

    /** Node's own client joins a header that is given twice. */
    async function rawPost(headers: string[]): Promise<string> {
      const { hostname, port } = new URL(api.client.url);
      const socket = connect(Number(port), hostname);
      const authorization = `Authorization: Bearer ${tokenOf(user.id)}`;
      socket.write(
        [
          'POST /tickets/999999/pay HTTP/1.1',
          'Host: test',
          authorization,
          'Connection: close',
          ...headers,
          '',
          '',
        ].join('\r\n'),
      );
      let answer = '';
      for await (const chunk of socket) answer += String(chunk);
      return answer;
    }
  });

  describe('is kept', () => {
    it('for 24 hours', async () => {
      const key = randomUUID();
      const first = await reserve(key);
      await lapse('23 hours 59 minutes');
      expect(exact(await reserve(key))).toEqual(exact(first));
      await lapse('1 minute');
      const second = await reserve(key);
      expect([second.status, isReplay(second)]).toEqual([201, false]);
      expect(exact(await reserve(key))).toEqual(exact(second));
      expect(await tickets()).toHaveLength(2);
    });

    it('until it is purged, a batch at a time', async () => {
      await api.sql('TRUNCATE idempotency_keys');
      const key = randomUUID();
      const first = await reserve(key);
      await api.sql(
        `INSERT INTO idempotency_keys SELECT sha256(n::text::bytea), '', '', now() FROM generate_series(1, 2500) AS n`,
      );
      const statements = await watch(() => api.app.get(IdempotencyService).purge());
      expect(statements.filter((text) => text.includes('DELETE'))).toHaveLength(3);
      expect(await keys()).toHaveLength(1);
      expect(exact(await reserve(key))).toEqual(exact(first));
    });

    it('so that nobody reads it who has only the database', async () => {
      await api.sql('TRUNCATE idempotency_keys');
      const [key, body] = [`key-${randomUUID()}`, { ...userBody(), name: 'Grace Hopper' }];
      const { status } = await post('/users/', body, key, nobody);
      expect(status).toBe(201);
      const [row] = await keys();
      for (const value of Object.values(row ?? {}).filter(Buffer.isBuffer)) {
        for (const word of [key, body.name, body.email, 'access_token', 'Bearer', '/users/', '201', 'id']) {
          expect(value.toString('latin1')).not.toContain(word);
        }
      }
    });

    it('over a change of the secret', async () => {
      const key = randomUUID();
      const secret = 'what nobody has signed anything with before';
      const first = await reserve(key);
      const changed = await startTestApi({
        DATABASE_URL: database.url,
        JWT_SECRET: `${secret},${TEST_SECRET}`,
      });
      const client = new Client(changed.client.url);
      expect(exact(await reserve(key, client))).toEqual(exact(first));
      const answers = [];
      for (let i = 0; i < 2; i++)
        answers.push(await post('/users/', { ...userBody(), email: 'new@example.com' }, key, client.as('')));
      expect(answers.map(isReplay)).toEqual([false, true]);
      await changed.stop();
    });

    const lapse = (time: string) =>
      api.sql(`UPDATE idempotency_keys SET expires_at = expires_at - $1::interval`, [time]);
  });

  describe('in a crowd', () => {
    it('takes exactly the seats there are, and each time the same', async () => {
      const seats = await api.create.event({ total_tickets: 20 });
      const crowd = Array.from({ length: 50 }, () => randomUUID());
      const order = { user_id: user.id, event_id: seats.id };
      const rush = () => Promise.all(crowd.map((key) => post('/tickets/', order, key)));
      const [first] = await Promise.all([
        rush(),
        // Others come without a key.
        Promise.all(Array.from({ length: 10 }, () => api.client.post('/tickets/', order))),
      ]);
      const [{ held }] = await api.sql('SELECT held FROM inventory WHERE event_id = $1', [seats.id]);
      expect(held).toBe(20);
      const outcomes = first.map(outcomeOf);
      expect(outcomes.filter((each) => each !== '409 event_sold_out').every((each) => each === '201')).toBe(
        true,
      );
      expect((await rush()).map(exact)).toEqual(first.map(exact));
      expect(await api.sql('SELECT held FROM inventory WHERE event_id = $1', [seats.id])).toEqual([
        { held: 20 },
      ]);
    });

    it('frees the places that are due before it says sold out', async () => {
      const seats = await api.create.event({ total_tickets: 3 });
      const order = { user_id: user.id, event_id: seats.id };
      for (let i = 0; i < 3; i++) await api.create.ticket(order);
      await api.sql('UPDATE tickets SET expires_at = now() WHERE event_id = $1', [seats.id]);
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => post('/tickets/', order, randomUUID())),
      );
      expect(answers.map(outcomeOf).sort()).toEqual([
        ...Array(3).fill('201'),
        ...Array(5).fill('409 event_sold_out'),
      ]);
    });

    it('leaves connections to those without a key', async () => {
      const rival = await lockSeats();
      const waiting = Array.from({ length: 20 }, () => reserve(randomUUID()));
      await database.untilBlocked();
      const other = await api.create.event();
      expect((await api.client.post('/tickets/', { ...ticketBody, event_id: other.id })).status).toBe(201);
      await rival.commit();
      const outcomes = (await Promise.all(waiting)).map(outcomeOf);
      expect(outcomes.filter((each) => each === '201')).toHaveLength(10);
      expect(outcomes.filter((each) => each === '409 event_sold_out')).toHaveLength(10);
    });
  });

  it('costs those without one nothing', async () => {
    const statements = await watch(() => api.client.post('/tickets/', ticketBody));
    expect(statements).toEqual([expect.stringContaining('INSERT INTO tickets')]);
    const { id } = (await tickets())[0];
    expect(await watch(() => api.client.post(`/tickets/${id}/pay`))).toEqual([
      expect.stringContaining('UPDATE inventory'),
    ]);
    // And what it costs with one: the statement that does the work claims the key and keeps the outcome.
    expect(await watch(() => reserve(randomUUID()))).toEqual([
      expect.stringMatching(/claim_keys[^]+INSERT INTO tickets[^]+INSERT INTO idempotency_keys/),
    ]);
  });

  /** The statements that the API sends while `work` goes on, without those of the sweeper. */
  async function watch(work: () => Promise<unknown>): Promise<string[]> {
    const query = jest.spyOn(Connection.prototype, 'query');
    await work();
    const texts = query.mock.calls.map(([first]) => {
      const given: unknown = first;
      return typeof given === 'string' ? given : (given as { text: string }).text;
    });
    query.mockRestore();
    return texts.filter((text) => ![RELEASE_DUE_HOLDS.text, FIND_STUCK_EVENTS.text].includes(text));
  }

  const lockSeats = () => database.begin('SELECT FROM inventory WHERE event_id = $1 FOR UPDATE', [event.id]);
});

describe('an API that is killed', () => {
  it.each([
    ['before', 'leaves nothing behind'],
    ['after', 'has done it once'],
  ])('%s the commit %s, and the request can be sent again', async (moment) => {
    const database = await createDatabase();
    const proxy = await startFaultProxy(database.url);
    const { url, stop } = await startMain([], { DATABASE_URL: proxy.url });
    const client = new Client(url);
    const create = factoriesFor(client);
    const [user, event] = await Promise.all([create.user(), create.event()]);
    const [requestId, body] = [randomUUID(), { user_id: user.id, event_id: event.id }];
    const key = { 'Idempotency-Key': randomUUID(), 'X-Request-Id': requestId };
    const effects = async () => {
      const [row] = await database.sql(
        'SELECT (SELECT count(*) FROM tickets)::int AS tickets, held FROM inventory',
      );
      return row;
    };

    if (moment === 'before') {
      const lock = await database.begin('LOCK TABLE idempotency_keys IN EXCLUSIVE MODE');
      const lost = client.post('/tickets/', body, key).catch(() => 'lost');
      await database.untilBlocked();
      await stop('SIGKILL');
      expect(await lost).toBe('lost');
      // PostgreSQL waits on for a while: it does not know yet that nobody wants the answer.
      await eventually(async () => expect(await database.sql(WAITING)).toEqual([]));
      await lock.commit();
      expect(await effects()).toEqual({ tickets: 0, held: 0 });
    } else {
      // The statement names the request, and commits by itself.
      proxy.freezeAfter(requestId);
      const lost = client.post('/tickets/', body, key).catch(() => 'lost');
      await eventually(async () => expect(await effects()).toEqual({ tickets: 1, held: 1 }));
      await stop('SIGKILL');
      expect(await lost).toBe('lost');
    }
    await proxy.cut();

    const next = await startTestApi({ DATABASE_URL: database.url });
    const first = await next.client.post('/tickets/', body, key);
    const second = await next.client.post('/tickets/', body, key);
    expect([first.status, isReplay(first)]).toEqual([201, moment === 'after']);
    expect([isReplay(second), exact(second)]).toEqual([true, exact(first)]);
    expect(await effects()).toEqual({ tickets: 1, held: 1 });
    await next.stop();
    await database.drop();
  });
});

it('an API that stands still in the midst of its batches keeps no other from answering', async () => {
  const database = await createDatabase();
  const [stopped, other] = await Promise.all(
    [1, 2].map(() => startMain([], { DATABASE_URL: database.url, MAX_HOLDS_PER_USER_EVENT: '0' })),
  );
  const client = new Client(other?.url ?? '');
  const create = factoriesFor(client);
  const [user, event] = await Promise.all([create.user(), create.event({ total_tickets: 1_000_000 })]);
  const reserve = ({ url }: { url: string }) =>
    new Client(url).post(
      '/tickets/',
      { user_id: user.id, event_id: event.id },
      { 'Idempotency-Key': randomUUID() },
    );
  for (let round = 0; round < 5; round++) {
    const rush = Array.from({ length: 40 }, () => reserve(stopped as RunningProcess).catch(() => undefined));
    await sleep(10 + 5 * round);
    stopped?.child.kill('SIGSTOP');
    try {
      const answers = await Promise.all(Array.from({ length: 5 }, () => reserve(other as RunningProcess)));
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    } finally {
      stopped?.child.kill('SIGCONT');
    }
    await Promise.all(rush);
  }
  await Promise.all([stopped?.stop(), other?.stop()]);
  await database.drop();
});

const WAITING = `
  SELECT FROM pg_stat_activity
  WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()`;
