import { randomUUID } from 'node:crypto';
import { WakeUpSender } from '../../src/queue/wake-up-sender';
import { startTestApi } from '../support/api';
import type { Answer } from '../support/client';
import { eventually } from '../support/eventually';
import { eventBody, userBody, withoutTokens } from '../support/factories';
import { startFaultProxy } from '../support/fault-proxy';
import { expectProblem } from '../support/problems';
import { exact, isReplay, keyedSuite, outcomeOf, REPLAYED } from '../support/replays';

describe('a POST with an Idempotency-Key', () => {
  const suite = keyedSuite();
  const { post, reserve, tickets } = suite;

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
      await suite.database.untilBlocked();
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
      if (fate === 'expired')
        await suite.api.sql(
          'UPDATE orders SET expires_at = now() WHERE id = (SELECT order_id FROM tickets WHERE id = $1)',
          [id],
        );
      else await suite.api.client.post(`/tickets/${id}/${fate === 'paid' ? 'pay' : 'cancel'}`);
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
      const made = await suite.api.sql(
        'SELECT capacity FROM events JOIN quotas ON event_id = events.id WHERE title = $1',
        [key],
      );
      expect(made).toEqual([{ capacity: 10 }]);
    });

    it('when it signs up, which nobody in particular does', async () => {
      const [key, body] = [randomUUID(), userBody()];
      const first = await post('/users/', body, key, suite.nobody);
      const second = await post('/users/', body, key, suite.nobody);
      expect([first.status, second.status, isReplay(second)]).toEqual([201, 201, true]);
      expect(first.body.access_token).toMatch(/./);
      // Knowing the request is no proof of being the account's owner.
      expect(withoutTokens(second.body)).toEqual(withoutTokens(first.body));
      expect(JSON.stringify(second.body)).not.toMatch(/token/);
      // Another caller with that key learns nothing of it.
      const other = await post('/users/', userBody(), key, suite.nobody);
      expect([other.status, isReplay(other)]).toEqual([201, false]);
    });

    it.each<[string, () => Promise<[path: string, body: unknown]>, effects: string]>([
      [
        'reserves',
        () => Promise.resolve(['/tickets/', suite.ticketBody]),
        'SELECT FROM ticket_states WHERE event_id = $1',
      ],
      [
        'pays',
        async () => [`/tickets/${(await suite.api.create.ticket(suite.ticketBody)).id}/pay`, undefined],
        `SELECT FROM ticket_states WHERE event_id = $1 AND status = 'paid'`,
      ],
      [
        'creates an event',
        () => Promise.resolve(['/events/', eventBody()]),
        'SELECT FROM events JOIN quotas ON event_id = events.id WHERE events.id > $1',
      ],
      ['signs up', () => Promise.resolve(['/users/', userBody()]), 'SELECT FROM users WHERE email = $1'],
    ])('when it %s and PostgreSQL gives up on the first try', async (_what, request, effects) => {
      const [path, body] = await request();
      const send = jest.spyOn(suite.api.app.get(WakeUpSender), 'wakeAtExpiry');
      const succeed = await failOn(`nextval('tries') = 1`);
      const key = randomUUID();
      const first = await post(path, body, key);
      const [{ last_value: tries }] = await suite.api.sql('SELECT last_value FROM tries');
      await succeed();
      const isDone = first.status < 300;
      // What was refused tells why.
      const refusal = isDone ? undefined : first.body;
      expect({ isDone, refusal, tries }).toEqual({ isDone: true, refusal: undefined, tries: 2 });
      const again = await post(path, body, key);
      expect([isReplay(again), again.headers.get('location')]).toEqual([true, first.headers.get('location')]);
      expect(
        await suite.api.sql(effects, [(body as { email?: string } | undefined)?.email ?? suite.event.id]),
      ).toHaveLength(1);
      // The queue hears of a ticket that was committed, and of no other.
      expect(send).toHaveBeenCalledTimes(path === '/tickets/' ? 1 : 0);
      send.mockRestore();
    });
  });

  it('is done however often PostgreSQL gives up on the first try', async () => {
    const succeed = await failOn(`nextval('tries') % 2 = 1`);
    const { id } = await suite.api.create.event({ total_tickets: 1_000 });
    const answers = new Set<unknown>();
    for (let i = 0; i < 200; i++) {
      const body = { event_id: id, user_id: (await suite.api.create.user()).id };
      const answer = await post('/tickets/', body, randomUUID());
      answers.add(answer.body.code ?? answer.status);
    }
    await succeed();
    expect([...answers]).toEqual([201]);
  });

  /**
   * Has PostgreSQL give up on the requests that keep a key.
   *
   * @param condition SQL, which counts the tries by the sequence `tries`
   * @returns what ends that
   */
  async function failOn(condition: string): Promise<() => Promise<void>> {
    await suite.api.sql('CREATE SEQUENCE tries');
    await suite.api.sql(`
      CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF ${condition} THEN RAISE 'no luck' USING ERRCODE = 'serialization_failure'; END IF;
        RETURN NEW;
      END $$`);
    await suite.api.sql(
      'CREATE TRIGGER luck BEFORE INSERT ON idempotency_keys FOR EACH ROW EXECUTE FUNCTION fail()',
    );
    return async () => {
      await suite.api.sql('DROP FUNCTION fail CASCADE');
      await suite.api.sql('DROP SEQUENCE tries');
    };
  }

  describe('gets the refusal again that it got first', () => {
    it('though it would be granted now', async () => {
      await suite.api.sql('UPDATE quotas SET capacity = 0 WHERE event_id = $1', [suite.event.id]);
      const key = randomUUID();
      const first = await reserve(key);
      expectProblem(first, 409, 'event_sold_out');
      await suite.api.sql('UPDATE quotas SET capacity = 10 WHERE event_id = $1', [suite.event.id]);
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
      const [key, body] = [randomUUID(), { ...userBody(), email: suite.user.email }];
      const first = await post('/users/', body, key, suite.nobody);
      expectProblem(first, 409, 'email_taken');
      await suite.api.sql('UPDATE users SET email = $1 WHERE id = $2', [userBody().email, suite.user.id]);
      const second = await post('/users/', body, key, suite.nobody);
      expect([isReplay(second), exact(second)]).toEqual([true, exact(first)]);
    });

    it('where the driver hears of the failed statement before it hears that the transaction failed', async () => {
      const proxy = await startFaultProxy(suite.database.url);
      const distant = await startTestApi({ DATABASE_URL: proxy.url });
      proxy.splitAnswers();
      const [key, body] = [randomUUID(), { ...userBody(), email: suite.user.email }];
      const first = await post('/users/', body, key, distant.client.as(''));
      expectProblem(first, 409, 'email_taken');
      expect(exact(await post('/users/', body, key, suite.nobody))).toEqual(exact(first));
      await distant.stop();
      await proxy.cut();
    });

    it('unless its input did not validate: then the key is still new', async () => {
      const key = randomUUID();
      expectProblem(await post('/tickets/', { ...suite.ticketBody, seat: 1 }, key), 422, 'validation_failed');
      const second = await reserve(key);
      expect([second.status, isReplay(second)]).toEqual([201, false]);
    });
  });

  describe('in a crowd', () => {
    it('takes exactly the seats there are, and each time the same', async () => {
      const seats = await suite.api.create.event({ total_tickets: 20 });
      const crowd = Array.from({ length: 50 }, () => randomUUID());
      const order = { user_id: suite.user.id, event_id: seats.id };
      const rush = () => Promise.all(crowd.map((key) => post('/tickets/', order, key)));
      const [first] = await Promise.all([
        rush(),
        // Others come without a key.
        Promise.all(Array.from({ length: 10 }, () => suite.api.client.post('/tickets/', order))),
      ]);
      const [{ held }] = await suite.api.sql('SELECT held FROM quotas WHERE event_id = $1', [seats.id]);
      expect(held).toBe(20);
      const outcomes = first.map(outcomeOf);
      expect(outcomes.filter((each) => each !== '409 event_sold_out').every((each) => each === '201')).toBe(
        true,
      );
      expect((await rush()).map(exact)).toEqual(first.map(exact));
      expect(await suite.api.sql('SELECT held FROM quotas WHERE event_id = $1', [seats.id])).toEqual([
        { held: 20 },
      ]);
    });

    it('frees the places that are due before it says sold out', async () => {
      const seats = await suite.api.create.event({ total_tickets: 3 });
      const order = { user_id: suite.user.id, event_id: seats.id };
      for (let i = 0; i < 3; i++) await suite.api.create.ticket(order);
      await suite.api.sql('UPDATE orders SET expires_at = now() WHERE event_id = $1', [seats.id]);
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
      const keys = Array.from({ length: 20 }, () => randomUUID());
      const waiting = keys.map((key) => reserve(key));
      await suite.database.untilBlocked();
      const other = await suite.api.create.event();
      expect(
        (await suite.api.client.post('/tickets/', { ...suite.ticketBody, event_id: other.id })).status,
      ).toBe(201);
      await rival.commit();
      await Promise.all(waiting);
      // Those whose patience ended before the lock did were told to come again.
      const outcomes = (await Promise.all(keys.map((key) => reserve(key)))).map(outcomeOf);
      expect(outcomes.filter((each) => each === '201')).toHaveLength(10);
      expect(outcomes.filter((each) => each === '409 event_sold_out')).toHaveLength(10);
    });
  });

  const lockSeats = () =>
    suite.database.begin('SELECT FROM quotas WHERE event_id = $1 FOR UPDATE', [suite.event.id]);
});
