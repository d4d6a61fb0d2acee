import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '../support/client';
import { createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { factoriesFor } from '../support/factories';
import { startMain, type RunningProcess } from '../support/processes';
import { accepts } from '../support/redis';
import { INVENTORY_MISMATCHES } from '../support/seats';

const PROCESSES = 2;

describe(`WEB_CONCURRENCY=${PROCESSES}`, () => {
  let database: TestDatabase;
  let cluster: RunningProcess;
  let client: Client;

  async function start(settings: Record<string, string> = {}): Promise<void> {
    cluster = await startMain([], {
      DATABASE_URL: database.url,
      WEB_CONCURRENCY: String(PROCESSES),
      ...settings,
    });
    client = new Client(cluster.url);
  }

  beforeAll(async () => {
    database = await createDatabase();
    await start();
  });
  afterAll(() => database.drop());

  /** Connections are dealt out in turn, so each of these needs its own. */
  const greet = () =>
    Promise.all(
      Array.from({ length: 2 * PROCESSES }, async () => {
        const [answer] = (await once(get(cluster.url, { agent: false }), 'response')) as [IncomingMessage];
        await once(answer.resume(), 'end');
      }),
    );

  const log = () =>
    cluster
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { pid: number; msg: string });
  /** The processes that answered requests, by what they logged. */
  const answering = () => [
    ...new Set(log().flatMap(({ pid, msg }) => (/^(GET|POST) /.test(msg) ? [pid] : []))),
  ];
  const isAlive = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  const answeringAlive = async () => {
    await eventually(async () => {
      await greet();
      expect(answering().filter(isAlive)).toHaveLength(PROCESSES);
    });
    return answering().filter(isAlive) as [number, number];
  };
  const startedAgain = (killed: number) =>
    expect.objectContaining({
      pid: cluster.child.pid,
      msg: `API process ${killed} ended (SIGKILL) and is started again.`,
    }) as unknown;
  const port = () => Number(new URL(cluster.url).port);

  it('answers from two processes on one port, and never from the first', async () => {
    const pids = await answeringAlive();
    expect(pids).not.toContain(cluster.child.pid);
  });

  it('sells exactly the seats there are', async () => {
    const create = factoriesFor(client);
    const [event, ...users] = await Promise.all([
      create.event({ total_tickets: 25 }),
      ...Array.from({ length: 20 }, () => create.user()),
    ]);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        client.post('/tickets/', { user_id: users[i % users.length].id, event_id: event.id }),
      ),
    );
    expect(tally(answers)).toEqual({ '201': 25, '409': 75 });
    expect(answering()).toHaveLength(PROCESSES);
    const tickets = answers.filter(({ status }) => status === 201).map(({ body }) => body.id);
    const payments = await Promise.all(tickets.flatMap((id) => [pay(id), pay(id), pay(id)]));
    expect(tally(payments)).toEqual({ '200': 25, '409': 50 });
    const seats = await database.sql('SELECT held, sold FROM quotas WHERE event_id = $1', [event.id]);
    expect(seats).toEqual([{ held: 0, sold: 25 }]);
    expect(await database.sql(INVENTORY_MISMATCHES)).toEqual([]);

    function pay(id: number) {
      return client.post(`/tickets/${id}/pay`);
    }
  });

  it('starts again what was killed, even in the midst of a rush, and goes on answering meanwhile', async () => {
    const create = factoriesFor(client);
    const [user, event] = await Promise.all([create.user(), create.event({ total_tickets: 10_000 })]);
    const [killed, spared] = await answeringAlive();

    let isOver = false;
    const promised: number[] = [];
    const visitor = async () => {
      while (!isOver) {
        const order = { user_id: user.id, event_id: event.id };
        const answer = await client.post('/tickets/', order).catch(() => undefined); // its process was killed
        if (answer?.status === 201) promised.push(answer.body.id);
        if (answer?.status === 201)
          await client.post(`/tickets/${answer.body.id}/cancel`).catch(() => undefined);
        await sleep(5); // the new process has to get ready beside them
      }
    };
    const rush = Array.from({ length: 8 }, visitor);
    await eventually(() => expect(promised.length).toBeGreaterThan(50));
    process.kill(killed, 'SIGKILL');
    await eventually(() => expect(log()).toContainEqual(startedAgain(killed)));
    await answeringAlive();
    isOver = true;
    await Promise.all(rush);

    const [first, second] = await answeringAlive();
    expect([first, second]).toContain(spared);
    expect([first, second]).not.toContain(killed);
    expect(log().filter(({ msg }) => msg.includes('started again'))).toEqual([startedAgain(killed)]);
    const there = await database.sql<{ id: string }>('SELECT id FROM ticket_states');
    const ids = new Set(there.map(({ id }) => Number(id)));
    expect(promised.filter((id) => !ids.has(id))).toEqual([]);
    expect(await database.sql(INVENTORY_MISMATCHES)).toEqual([]);
  });

  it('does not start when its port is taken, and says so', async () => {
    const second = startMain([], {
      DATABASE_URL: database.url,
      WEB_CONCURRENCY: String(PROCESSES),
      PORT: String(port()),
    });
    await expect(second).rejects.toThrow(
      new RegExp(`ended with 1 before it listened: PORT ${port()} is taken on 127\\.0\\.0\\.1: [^\\n]+\\n`),
    );
  });

  it('ends all at a SIGTERM with code 0, after the answers under way', async () => {
    const create = factoriesFor(client);
    const [user, event] = await Promise.all([create.user(), create.event()]);
    const pids = await answeringAlive();
    const seat = await database.begin('SELECT FROM quotas FOR UPDATE');
    const answer = client.post('/tickets/', { user_id: user.id, event_id: event.id });
    await database.untilBlocked();

    const end = cluster.stop('SIGTERM');
    await eventually(async () => expect(await accepts(port())).toBe(false));
    expect(pids.filter(isAlive)).not.toEqual([]);
    await seat.commit();
    expect((await answer).status).toBe(201);
    const { code, stderr } = await end;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('leaves nobody behind when the first process is killed', async () => {
    await start();
    const pids = await answeringAlive();
    await cluster.stop('SIGKILL');
    await eventually(() => expect(pids.filter(isAlive)).toEqual([]));
    expect(await accepts(port())).toBe(false);
  });
});

function tally(answers: { status: number }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
