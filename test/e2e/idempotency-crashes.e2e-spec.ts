import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestApi } from '../support/api';
import { Client } from '../support/client';
import { createDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { factoriesFor } from '../support/factories';
import { startFaultProxy } from '../support/fault-proxy';
import { startMain, type RunningProcess } from '../support/processes';
import { exact, isReplay } from '../support/replays';

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
        'SELECT (SELECT count(*) FROM ticket_states)::int AS tickets, held FROM quotas',
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
