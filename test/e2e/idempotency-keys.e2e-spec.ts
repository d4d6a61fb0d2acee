import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { Client as Connection } from 'pg';
import { IdempotencyService } from '../../src/idempotency/idempotency.service';
import { FIND_STUCK_EVENTS } from '../../src/inventory/find-stuck.statements';
import { RELEASE_DUE_HOLDS } from '../../src/inventory/release-due-holds.statements';
import { startTestApi } from '../support/api';
import { Client } from '../support/client';
import { userBody } from '../support/factories';
import { expectProblem } from '../support/problems';
import { exact, isReplay, keyedSuite, outcomeOf, REPLAYED } from '../support/replays';
import { TEST_SECRET, tokenOf } from '../support/tokens';

describe('a POST with an Idempotency-Key', () => {
  const suite = keyedSuite();
  const { post, reserve, tickets } = suite;
  const keys = () => suite.api.sql<{ id: Buffer; answer: Buffer }>('SELECT * FROM idempotency_keys');

  describe('is refused when its key belongs to another request', () => {
    it.each<[string, () => [path: string, body: unknown]]>([
      [
        'with another body',
        () => ['/tickets/', { ...suite.ticketBody, event_id: suite.event.id + 1_000_000 }],
      ],
      ['on another route', () => [`/tickets/${suite.event.id}/pay`, undefined]],
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
      const body = ` {\n"event_id" : ${suite.event.id}.0,\t"user_id":${suite.user.id} } `;
      const headers = { 'Idempotency-Key': key, 'Content-Type': 'application/json' };
      const second = await suite.api.client.send('POST', '/tickets', { headers, body });
      expect([isReplay(second), exact(second)]).toEqual([true, exact(first)]);
    });

    it('but not when the key is that of another caller', async () => {
      const key = randomUUID();
      const own = suite.api.client.as(tokenOf(suite.user.id));
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
        await suite.api.client.get(`/events/${suite.event.id}`, { 'Idempotency-Key': 'not even a good one' }),
      ];
      expect([status, headers.has(REPLAYED), await keys()]).toEqual([200, false, before]);
    });

    /** Node's own client joins a header that is given twice. */
    async function rawPost(headers: string[]): Promise<string> {
      const { hostname, port } = new URL(suite.api.client.url);
      const socket = connect(Number(port), hostname);
      const authorization = `Authorization: Bearer ${tokenOf(suite.user.id)}`;
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
      await suite.api.sql('TRUNCATE idempotency_keys');
      const key = randomUUID();
      const first = await reserve(key);
      await suite.api.sql(
        `INSERT INTO idempotency_keys SELECT sha256(n::text::bytea), '', '', now() FROM generate_series(1, 2500) AS n`,
      );
      const statements = await watch(() => suite.api.app.get(IdempotencyService).purge());
      expect(statements.filter((text) => text.includes('DELETE'))).toHaveLength(3);
      expect(await keys()).toHaveLength(1);
      expect(exact(await reserve(key))).toEqual(exact(first));
    });

    it('so that nobody reads it who has only the database', async () => {
      await suite.api.sql('TRUNCATE idempotency_keys');
      const [key, body] = [`key-${randomUUID()}`, { ...userBody(), name: 'Grace Hopper' }];
      const { status } = await post('/users/', body, key, suite.nobody);
      expect(status).toBe(201);
      const [row] = await keys();
      for (const value of Object.values(row ?? {}).filter(Buffer.isBuffer)) {
        // No shorter words: of two letters, one in a hundred ciphers has them by chance.
        for (const word of [key, body.name, body.email, 'access_token', 'Bearer', '/users/', '"id":']) {
          expect(value.toString('latin1')).not.toContain(word);
        }
      }
    });

    it('over a change of the secret', async () => {
      const key = randomUUID();
      const secret = 'what nobody has signed anything with before';
      const first = await reserve(key);
      const changed = await startTestApi({
        DATABASE_URL: suite.database.url,
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
      suite.api.sql(`UPDATE idempotency_keys SET expires_at = expires_at - $1::interval`, [time]);
  });

  it('costs those without one nothing', async () => {
    const statements = await watch(() => suite.api.client.post('/tickets/', suite.ticketBody));
    expect(statements).toEqual([expect.stringContaining('place_orders')]);
    const { id } = (await tickets())[0];
    const paying = await watch(() => suite.api.client.post(`/tickets/${id}/pay`));
    // The first ticket of all that is paid makes the key that signs tickets.
    expect(paying.filter((text) => !text.includes('ticket_keys'))).toEqual([
      expect.stringContaining('UPDATE orders'),
    ]);
    // And what it costs with one: the statement that does the work claims the key and keeps the outcome.
    expect(await watch(() => reserve(randomUUID()))).toEqual([
      expect.stringMatching(/claim_keys[^]+place_orders[^]+INSERT INTO idempotency_keys/),
    ]);
  });

  /** The statements that the API sends while `work` goes on, without those of what recurs. */
  async function watch(work: () => Promise<unknown>): Promise<string[]> {
    const query = jest.spyOn(Connection.prototype, 'query');
    await work();
    const texts = query.mock.calls.map(([first]) => {
      const given: unknown = first;
      return typeof given === 'string' ? given : (given as { text: string }).text;
    });
    query.mockRestore();
    const recurring = /UPDATE outbox SET attempts|UPDATE payments SET ask_at|DISCARD PLANS/;
    return texts.filter(
      (text) => ![RELEASE_DUE_HOLDS.text, FIND_STUCK_EVENTS.text].includes(text) && !recurring.test(text),
    );
  }
});
