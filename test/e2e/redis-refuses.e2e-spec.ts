import Redis from 'ioredis';
import { Client } from '../support/client';
import { createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { parseExposition, valueOf } from '../support/exposition';
import { factoriesFor } from '../support/factories';
import { runScript, startMain, type RunningProcess } from '../support/processes';
import { ownRedis, type OwnRedis } from '../support/redis';
import { describeWithRedis } from '../support/with-redis';

const USER = 'ada';
const PASSWORD = 'the-first-secret-of-redis';
const OTHER = 'the-second-secret-of-redis';
const METRICS_TOKEN = 'what-prometheus-presents';
const BULL_WITHIN_MS = 20_000;

describeWithRedis('where Redis refuses', () => {
  let database: TestDatabase;
  let redis: OwnRedis;
  let processes: RunningProcess[] = [];
  let admin: Redis;

  beforeAll(async () => {
    database = await createDatabase();
    redis = await ownRedis();
    admin = new Redis(redis.url);
    await admin.call('ACL', 'SETUSER', USER, 'on', `>${PASSWORD}`, '~*', '&*', '+@all');
  });
  afterEach(async () => {
    const ends = await Promise.all(processes.map((each) => each.stop()));
    processes = [];
    expect(ends.map(({ code }) => code)).toEqual(ends.map(() => 0));
    for (const { output } of ends) {
      expect(output).not.toContain(PASSWORD);
      expect(output).not.toContain('args');
    }
  });
  afterAll(async () => {
    admin.disconnect();
    await redis.stop();
    await database.drop();
  });

  const urlOf = (user: string, password: string) => {
    const url = new URL(redis.url);
    [url.username, url.password] = [user, password];
    return url.href;
  };
  const allow = (user: string, ...rules: string[]) => admin.call('ACL', 'SETUSER', user, ...rules);

  async function start(url: string): Promise<void> {
    const environment = { DATABASE_URL: database.url, REDIS_URL: url, HOLD_SECONDS: '1', METRICS_TOKEN };
    processes = await Promise.all([startMain([], environment), startMain(['--worker'], environment)]);
  }

  async function untilRedisIs(state: RegExp): Promise<void> {
    for (const { url } of processes) {
      await eventually(async () => {
        const { status, body } = await new Client(url).get('/health/ready');
        expect(status).toBe(200);
        expect(body.details.redis.message ?? 'up').toMatch(state);
      }, 15_000);
    }
  }

  async function holdEnds(): Promise<void> {
    const create = factoriesFor(new Client(processes[0]?.url ?? ''));
    const [user, event] = [await create.user(), await create.event()];
    const ticket = await create.ticket({ user_id: user.id, event_id: event.id });
    await eventually(async () => {
      const [row] = await database.sql('SELECT status FROM ticket_states WHERE id = $1', [ticket.id]);
      expect(row.status).toBe('expired');
    });
  }

  async function bullTakesOver(): Promise<void> {
    const byBull = async () => {
      const headers = { Authorization: `Bearer ${METRICS_TOKEN}` };
      const text = await fetch(`${processes[1]?.url}/metrics`, { headers }).then((answer) => answer.text());
      return valueOf(parseExposition(text), 'tixxety_hold_lateness_seconds_count', { trigger: 'bull' }) ?? 0;
    };
    const before = await byBull();
    await eventually(async () => {
      await holdEnds();
      expect(await byBull()).toBeGreaterThan(before);
    }, BULL_WITHIN_MS);
  }

  /** They sweep while Redis refuses them, and Bull takes over once the user is allowed in by the rules. */
  async function sweepUntilAllowed(...rules: string[]): Promise<void> {
    await untilRedisIs(/^degraded/);
    await holdEnds();
    await allow(USER, ...rules);
    await bullTakesOver();
    await untilRedisIs(/^up/);
  }

  it('the password, changed under running processes: they sweep on, and Bull takes over again', async () => {
    await allow(USER, 'resetpass', `>${PASSWORD}`);
    await start(urlOf(USER, PASSWORD));
    await bullTakesOver();
    await allow(USER, 'resetpass', `>${OTHER}`);
    await admin.call('CLIENT', 'KILL', 'USER', USER);
    await sweepUntilAllowed(`>${PASSWORD}`);
  }, 60_000);

  it('the password from the start: they start, sweep, and Bull begins once it is right', async () => {
    await allow(USER, 'resetpass', `>${OTHER}`);
    await start(urlOf(USER, PASSWORD));
    await sweepUntilAllowed(`>${PASSWORD}`);
  }, 60_000);

  it('a user that is deleted, and made again', async () => {
    await allow(USER, 'resetpass', `>${PASSWORD}`);
    await start(urlOf(USER, PASSWORD));
    await admin.call('ACL', 'DELUSER', USER);
    await sweepUntilAllowed('on', `>${PASSWORD}`, '~*', '&*', '+@all');
  }, 60_000);

  it('commands it used to take', async () => {
    await allow(USER, 'resetpass', `>${PASSWORD}`);
    await start(urlOf(USER, PASSWORD));
    await allow(USER, '-@blocking', '-@scripting');
    // An API notices when it has something to send.
    await eventually(async () => {
      await holdEnds();
      for (const { url } of processes) {
        const { body } = await new Client(url).get('/health/ready');
        expect(body.details.redis.message).toMatch(/^degraded/);
      }
    }, 15_000);
    await allow(USER, '+@all');
    await bullTakesOver();
    await untilRedisIs(/^up/);
  }, 60_000);

  it('the doctor, who says so without the password', async () => {
    const { code, output } = await runScript('doctor/main', [], {
      DATABASE_URL: database.url,
      REDIS_URL: urlOf('nobody', PASSWORD),
    });
    expect(code).toBe(1);
    expect(output).toMatch(/WRONG +redis +Can not be used \(.*WRONGPASS/);
    expect(output).not.toContain(PASSWORD);
  });
});
