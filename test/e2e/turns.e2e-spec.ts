import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import argon2 from '@node-rs/argon2';
import { Passwords } from '../../src/auth/passwords';
import { Turns } from '../../src/rate-limit/turns';
import { startTestApi, type TestApi } from '../support/api';
import type { Answer } from '../support/client';
import { createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { userBody } from '../support/factories';
import { expectProblem } from '../support/problems';
import { TEST_ADMIN, tokenOf } from '../support/tokens';

interface Operation {
  responses: Record<string, { content?: Record<string, { schema: { type?: string } }> }>;
}
const { paths } = JSON.parse(readFileSync(join(__dirname, '../../openapi.json'), 'utf8')) as {
  paths: Record<string, Record<string, Operation>>;
};
const LISTS = Object.entries(paths)
  .filter(([, { get }]) => get?.responses['200']?.content?.['application/json']?.schema.type === 'array')
  .map(([path]) => path);
const PASSWORDS = ['/users', ...Object.keys(paths).filter((path) => path.startsWith('/auth/'))];

const from = (address: string) => ({ 'X-Forwarded-For': address });
const TOKEN = tokenOf(TEST_ADMIN.id, 'admin');
const HERE = from('203.0.113.1');
const THERE = from('203.0.113.2');

describe('the turns of a network', () => {
  let database: TestDatabase;
  let api: TestApi;

  beforeAll(async () => {
    database = await createDatabase();
    api = await startTestApi({
      DATABASE_URL: database.url,
      RATE_LIMIT_PER_MINUTE: '600',
      TRUST_PROXY: '1',
    });
  });
  afterAll(async () => {
    await api.stop();
    await database.drop();
  });

  const turnsOf = async (send: () => Promise<unknown>) => {
    const take = jest.spyOn(api.app.get(Turns), 'take');
    await send();
    const lines = take.mock.calls.map(([line]) => line);
    take.mockRestore();
    return lines;
  };

  it('are taken by every list', async () => {
    expect(LISTS.length).toBeGreaterThanOrEqual(4);
    for (const path of LISTS) {
      const lines = await turnsOf(() => api.client.get(path.replace('{user_id}', 'me'), HERE));
      expect([path, lines]).toEqual([path, ['pages 203.0.113.1']]);
    }
  });

  it('are taken by all that may hash a password, in a line of their own', async () => {
    expect(PASSWORDS.length).toBeGreaterThanOrEqual(4);
    for (const path of PASSWORDS) {
      const lines = await turnsOf(() => api.client.post(path, {}, HERE));
      expect([path, lines]).toEqual([path, ['passwords 203.0.113.1']]);
    }
  });

  it('are taken of the site, too, where there is one', async () => {
    const lines = await turnsOf(() => api.client.get('/users/me/sessions', from('2001:db8:1:2::3')));
    expect(lines).toEqual(['pages 2001:db8:1:2::/64', 'pages 2001:db8:1::/48']);
  });

  it('are taken by nothing else', async () => {
    const event = await api.create.event();
    const user = await api.create.user();
    const lines = await turnsOf(async () => {
      await api.client.get(`/events/${event.id}`);
      await api.client.post('/tickets/', { user_id: user.id, event_id: event.id });
    });
    expect(lines).toEqual([]);
  });

  /** Lists that wait in PostgreSQL. */
  const atWork = async () => {
    const [row] = await database.sql<{ count: number }>(
      `SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return row?.count;
  };

  it('come one after the other, in each network by itself', async () => {
    const [user, event] = await Promise.all([api.create.user(), api.create.event()]);
    const lock = await database.begin('LOCK TABLE sessions');
    const answers: Answer[] = [];
    const here = Array.from({ length: 100 }, async () => {
      answers.push(await api.client.get('/users/me/sessions', HERE));
    });
    // One is under way, 64 wait.
    const refused = () => answers.filter(({ status }) => status === 429);
    await eventually(() => expect(refused().length).toBeGreaterThanOrEqual(35));
    expect(await atWork()).toBeLessThanOrEqual(1);
    for (const answer of refused()) {
      expectProblem(answer, 429, 'rate_limited');
      expect(answer.headers.get('retry-after')).toBe('1');
    }
    // Given up by PostgreSQL, and not kept waiting behind the others.
    expectProblem(await api.client.get('/users/me/sessions', THERE), 503, 'overloaded');
    const booked = await api.client.post('/tickets', { user_id: user.id, event_id: event.id });
    expect(booked.status).toBe(201);
    await lock.commit();
    await Promise.all(here);
    expect((await api.client.get('/users/me/sessions', HERE)).status).toBe(200);
  });

  describe('of an export', () => {
    const CSV = { Accept: 'text/csv' };
    const FORM = 'grant_type=password&username=nobody@example.com&password=x';
    const SIGN_IN = `POST /auth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${FORM.length}\r\n\r\n${FORM}`;
    let orders: string;
    beforeAll(async () => (orders = `/events/${(await api.create.event()).id}/orders`));

    it('end with its connection, also while it waits there for another answer', async () => {
      const take = jest.spyOn(api.app.get(Turns), 'take');
      const socket = connect(Number(new URL(api.client.url).port), '127.0.0.1');
      const headers = `Host: x\r\nAccept: text/csv\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`;
      socket.write(`${SIGN_IN.repeat(8)}GET ${orders} HTTP/1.1\r\n${headers}`);
      await eventually(() => {
        expect(take).toHaveBeenCalledWith(expect.stringMatching(/^csv /), expect.anything());
      });
      take.mockRestore();
      socket.destroy();
      expect((await api.client.get(orders, CSV)).status).toBe(200);
    });
  });

  it('are not wanted where there are no limits', async () => {
    const unlimited = await startTestApi({ DATABASE_URL: database.url });
    const lock = await database.begin('LOCK TABLE sessions');
    const lists = Array.from({ length: 3 }, () => unlimited.client.get('/users/me/sessions'));
    await eventually(async () => expect(await atWork()).toBe(3));
    await lock.commit();
    await Promise.all(lists);
    await unlimited.stop();
  });

  it('of passwords are not needed to drop those of clients that have gone', async () => {
    const unlimited = await startTestApi({ DATABASE_URL: database.url });
    const asked = jest.spyOn(unlimited.app.get(Passwords), 'verify');
    const compared = jest.spyOn(argon2, 'verify');
    const clients = Array.from({ length: 50 }, () => new AbortController());
    const body = new URLSearchParams({
      grant_type: 'password',
      username: 'nobody@example.com',
      password: 'x',
    });
    const answers = clients.map(({ signal }) =>
      fetch(`${unlimited.client.url}/auth/token`, { method: 'POST', body, signal }).catch(() => undefined),
    );
    await eventually(() => expect(asked).toHaveBeenCalledTimes(clients.length));
    clients.forEach((client) => client.abort());
    await Promise.all([...answers, ...asked.mock.results.map(({ value }) => Promise.allSettled([value]))]);
    expect(compared.mock.calls.length).toBeLessThan(clients.length);
    jest.restoreAllMocks();
    await unlimited.stop();
  });

  it('of sign-ups are taken in a crowd as well as alone', async () => {
    const crowd = Array.from({ length: 5 }, () =>
      api.client.post('/users/', { ...userBody(), password: 'notes on the engine' }, THERE),
    );
    expect((await Promise.all(crowd)).map(({ status }) => status)).toEqual(Array(5).fill(201));
  });
});
