import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROBLEMS } from '../../src/problems/catalogue';
import { startTestApi } from '../support/api';
import { startFaultProxy } from '../support/fault-proxy';
import { Client } from '../support/client';
import { createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { parseExposition, valueOf, type Sample } from '../support/exposition';
import { expectProblem } from '../support/problems';
import { factoriesFor } from '../support/factories';
import { startMain } from '../support/processes';
import { ownRedis } from '../support/redis';
import { alertRules, expressionsOfAlerts, expressionsOfDashboard, unknownIn } from '../support/promql';
import { tokenOf } from '../support/tokens';
import { itWithRedis } from '../support/with-redis';

const METRICS_TOKEN = 'the-token-of-prometheus';
const PROMETHEUS = { Authorization: `Bearer ${METRICS_TOKEN}` };

// Processes start slowly on a busy machine.
jest.setTimeout(60_000);

async function scrape(client: Client): Promise<Sample[]> {
  const { status, headers, body } = await client.get<string>('/metrics', PROMETHEUS);
  expect({ status, type: headers.get('content-type') }).toEqual({
    status: 200,
    type: 'text/plain; version=0.0.4; charset=utf-8',
  });
  return parseExposition(body);
}

describe('/metrics', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(() => database.drop());

  it('is for who has the token, and for admins', async () => {
    const api = await startTestApi({ DATABASE_URL: database.url, METRICS_TOKEN });
    const nobody = api.client.as('');
    await scrape(nobody);
    expect((await api.client.get('/metrics')).status).toBe(200);
    expectProblem(await api.client.as(tokenOf(1, 'user')).get('/metrics'), 404, 'route_not_found');
    const wrong = [
      '',
      METRICS_TOKEN,
      `Basic ${METRICS_TOKEN}`,
      `Bearer ${METRICS_TOKEN}x`,
      'Bearer undefined',
    ];
    for (const Authorization of wrong) {
      expectProblem(await nobody.get('/metrics', { Authorization }), 401, 'unauthenticated');
    }
    await api.stop();
  });

  it('is for admins alone where no token is set', async () => {
    const api = await startTestApi({ DATABASE_URL: database.url });
    for (const Authorization of ['Bearer undefined', 'Bearer ', PROMETHEUS.Authorization]) {
      expectProblem(await api.client.as('').get('/metrics', { Authorization }), 401, 'unauthenticated');
    }
    expect((await api.client.get('/metrics')).status).toBe(200);
    await api.stop();
  });

  it('counts requests by the template of their route, and refusals by their code', async () => {
    const api = await startTestApi({ DATABASE_URL: database.url, METRICS_TOKEN });
    const [user, event] = await Promise.all([api.create.user(), api.create.event({ total_tickets: 2 })]);
    const reserve = () => api.client.post('/tickets', { user_id: user.id, event_id: event.id });
    const answers = await Promise.all([reserve(), reserve(), reserve()]);
    const paid = answers.find(({ status }) => status === 201);
    await api.client.post(`/tickets/${paid?.body.id}/pay/`);
    for (const id of [1_000_001, 1_000_002]) await api.client.get(`/tickets/${id}`);
    for (const path of ['/nonesuch/1', '/nonesuch/2']) await api.client.get(path);
    await api.client.send('POST', '/tickets', { headers: { 'Content-Type': 'text/plain' }, body: 'x' });

    const samples = await scrape(api.client);
    const requests = (method: string, route: string, status: number) =>
      valueOf(samples, 'http_request_duration_seconds_count', { method, route, status: String(status) });
    expect(requests('POST', '/tickets', 201)).toBe(2);
    expect(requests('POST', '/tickets', 409)).toBe(1);
    expect(requests('POST', '/tickets/:ticket_id/pay', 200)).toBe(1);
    expect(requests('GET', '/tickets/:ticket_id', 404)).toBe(2);
    expect(requests('GET', 'none', 404)).toBe(2);
    expect(requests('POST', '/tickets', 415)).toBe(1);
    const routes = samples.flatMap(({ labels }) => labels.route ?? []);
    expect(routes.filter((route) => /\d|nonesuch/.test(route))).toEqual([]);

    const problems = samples.filter(({ name, value }) => name === 'http_problems_total' && value > 0);
    expect(Object.fromEntries(problems.map(({ labels, value }) => [labels.code, value]))).toEqual({
      event_sold_out: 1,
      ticket_not_found: 2,
      route_not_found: 2,
      unsupported_media_type: 1,
    });
    expect(valueOf(samples, 'tixxety_batch_size_sum', { batch: 'place_holds' })).toBeGreaterThanOrEqual(3);
    expect(valueOf(samples, 'tixxety_batch_size_sum', { batch: 'resolve_holds' })).toBe(1);
    for (const pool of ['main', 'lists']) {
      const connections = samples.filter(
        ({ name, labels }) => name === 'tixxety_database_connections' && labels.pool === pool,
      );
      expect(connections.map(({ labels }) => labels.state)).toEqual(['idle', 'busy']);
    }
    expect(valueOf(samples, 'tixxety_database_connections', { pool: 'main', state: 'idle' })).toBeGreaterThan(
      0,
    );
    expect(valueOf(samples, 'nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
    await api.stop();
  });

  it('has its series before the first event, so that rate() sees the first', async () => {
    const api = await startTestApi({ DATABASE_URL: database.url, METRICS_TOKEN });
    const samples = await scrape(api.client);
    for (const code of Object.keys(PROBLEMS))
      expect([code, valueOf(samples, 'http_problems_total', { code })]).toEqual([code, 0]);
    for (const batch of ['place_holds', 'resolve_holds'])
      expect(valueOf(samples, 'tixxety_batch_size_count', { batch })).toBe(0);
    for (const trigger of ['bull', 'sweeper', 'reservation'])
      expect(valueOf(samples, 'tixxety_hold_lateness_seconds_count', { trigger })).toBe(0);
    for (const status of ['held', 'paid', 'expired', 'cancelled'])
      expect(valueOf(samples, 'tixxety_orders_total', { status })).toBe(0);
    for (const code of ['event_sold_out', 'ticket_type_sold_out', 'code_used_up', 'hold_cool_down'])
      expect(valueOf(samples, 'tixxety_order_refusals_total', { code })).toBe(0);
    expect(valueOf(samples, 'tixxety_order_tickets_count')).toBe(0);
    await api.stop();
  });

  it('sees counters that disagree with the tickets until they are right again', async () => {
    const api = await startTestApi({ DATABASE_URL: database.url, METRICS_TOKEN, HOLD_SECONDS: '100' });
    const drift = async () => valueOf(await scrape(api.client), 'tixxety_inventory_drift_seats');
    const [user, event] = await Promise.all([api.create.user(), api.create.event({ total_tickets: 9 })]);
    await api.create.ticket({ user_id: user.id, event_id: event.id });
    expect(await drift()).toBe(0);
    await api.sql('UPDATE quotas SET held = held + 3 WHERE event_id = $1', [event.id]);
    expect(await drift()).toBe(3);
    expect(await drift()).toBe(3);
    await api.sql('UPDATE quotas SET held = held - 3 WHERE event_id = $1', [event.id]);
    expect(await drift()).toBe(0);
    // An event without tickets, where a counter alone has gone wrong, has its turn too.
    const untouched = await api.create.event();
    await api.sql('UPDATE quotas SET held = 1 WHERE event_id = $1', [untouched.id]);
    await eventually(async () => expect(await drift()).toBe(1));
    await api.sql('UPDATE quotas SET held = 0 WHERE event_id = $1', [untouched.id]);
    await api.stop();
  });

  it('answers while the database does not', async () => {
    const proxy = await startFaultProxy(database.url);
    const api = await startTestApi({ DATABASE_URL: proxy.url, METRICS_TOKEN });
    await proxy.cut();
    expect(valueOf(await scrape(api.client), 'tixxety_inventory_drift_seats')).toBeNaN();
    await api.stop();
  });

  itWithRedis('of several processes tells of all, and what is shown and alerted on exists', async () => {
    const redis = await ownRedis();
    const settings = {
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      METRICS_TOKEN,
      HOLD_SECONDS: '3',
      MAX_HOLDS_PER_USER_EVENT: '0',
    };
    const [api, worker] = await Promise.all([
      startMain([], { ...settings, WEB_CONCURRENCY: '2' }),
      startMain(['--worker'], settings),
    ]);
    const [client, workerClient] = [new Client(api.url), new Client(worker.url)];
    const create = factoriesFor(client);
    const [user, event] = await Promise.all([create.user(), create.event({ total_tickets: 20 })]);
    const reserve = () => create.ticket({ user_id: user.id, event_id: event.id });
    await Promise.all(Array.from({ length: 20 }, reserve));
    expectProblem(
      await client.post('/tickets/', { user_id: user.id, event_id: event.id }),
      409,
      'event_sold_out',
    );

    const ofApi = await eventually(async () => {
      const samples = await scrape(client);
      const created = { route: '/tickets', status: '201' };
      expect(valueOf(samples, 'http_request_duration_seconds_count', created)).toBe(20);
      return samples;
    });
    const infos = ofApi.filter(({ name }) => name === 'tixxety_info').map(({ labels }) => labels);
    expect(infos.map(({ role, process }) => `${role} ${process}`).sort()).toEqual(['api 1', 'api 2']);
    const atOnce = await Promise.all(Array.from({ length: 40 }, () => client.get('/metrics', PROMETHEUS)));
    expect(new Set(atOnce.map(({ status }) => status))).toEqual(new Set([200]));

    const ofWorker = await eventually(async () => {
      const samples = await scrape(workerClient);
      expect(valueOf(samples, 'tixxety_hold_lateness_seconds_count')).toBe(20);
      return samples;
    });
    for (const { name, labels, value } of ofWorker) {
      if (name === 'tixxety_hold_lateness_seconds_sum' && value > 0)
        expect(['bull', 'sweeper']).toContain(labels.trigger);
    }
    expect(
      ofWorker.filter(({ name }) => name === 'tixxety_queue_jobs').map(({ labels }) => labels.state),
    ).toEqual(expect.arrayContaining(['waiting', 'active', 'delayed', 'failed']));
    for (const Authorization of ['', 'Bearer undefined']) {
      expect((await workerClient.as('').get('/metrics', { Authorization })).status).toBe(404);
    }

    for (const samples of [ofApi, ofWorker]) expect(valueOf(samples, 'tixxety_redis_up')).toBeGreaterThan(0);
    await redis.takeAway();
    await eventually(async () => {
      const samples = await scrape(workerClient);
      expect(valueOf(samples, 'tixxety_redis_up')).toBe(0);
      expect(valueOf(samples, 'tixxety_queue_jobs')).toBeUndefined();
    });
    await redis.stop();
    await Promise.all([api.stop(), worker.stop()]);

    const exported = [...ofApi, ...ofWorker];
    const expressions = [...expressionsOfAlerts(), ...expressionsOfDashboard()];
    expect(expressions.length).toBeGreaterThan(30);
    expect(expressions.flatMap((expression) => unknownIn(expression, exported))).toEqual([]);
    expect(unknownIn('rate(http_requests_total{code="x"}[5m])', exported)).toEqual(['http_requests_total']);
    expect(unknownIn('sum by (path) (rate(http_problems_total{kode="x"}[5m]))', exported)).toEqual([
      'path',
      'http_problems_total{kode="x"}',
    ]);
    const sold = 'tixxety_orders_total{status="paid",instance=~"$instance"}';
    expect(unknownIn(`${sold} / ${sold.replace('paid', 'sold')}`, exported)).toEqual([
      'tixxety_orders_total{status="sold"}',
    ]);
    expect(() => unknownIn('sum(rate(', exported)).toThrow(/is no PromQL/);
  });
});

it('the runbook explains every alert', () => {
  const runbook = readFileSync(join(__dirname, '../../docs/MONITORING.md'), 'utf8');
  const unexplained = alertRules().filter(({ alert }) => !runbook.includes(`| \`${alert}\``));
  expect(unexplained).toEqual([]);
});
