import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Client } from '../support/client';
import { createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { factoriesFor } from '../support/factories';
import { startMain } from '../support/processes';
import { ownRedis } from '../support/redis';
import { itWithRedis } from '../support/with-redis';

interface Span {
  service?: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  /** As OTLP numbers them. */
  kind: 1 | 2 | 3 | 4 | 5;
  links?: { traceId: string; spanId: string }[];
}

/** As far as it is looked at. */
interface Export {
  resourceSpans: {
    resource: { attributes: { key: string; value: { stringValue?: string } }[] };
    scopeSpans: { spans: Span[] }[];
  }[];
}

const [SERVER, CLIENT, CONSUMER] = [2, 3, 5];

/** What a collector gets to see, by OTLP over HTTP. */
async function startCollector() {
  const spans: Span[] = [];
  const receive = (body: string) => {
    for (const { resource, scopeSpans } of (JSON.parse(body) as Export).resourceSpans) {
      const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue;
      spans.push(...scopeSpans.flatMap((scope) => scope.spans.map((span) => ({ ...span, service }))));
    }
  };
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      receive(body);
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

describe('traces', () => {
  let database: TestDatabase;
  let folder: string;
  beforeAll(async () => {
    database = await createDatabase();
    folder = mkdtempSync(join(tmpdir(), 'tixxety-traces-'));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await database.drop();
  });

  /** Has a process write down at its end what it has loaded of OpenTelemetry. */
  function noteModules() {
    const note = join(folder, `modules-${Math.random()}.json`);
    const probe = `${note}.cjs`;
    writeFileSync(
      probe,
      `process.on('exit', () => require('fs').writeFileSync(${JSON.stringify(note)}, JSON.stringify(Object.keys(require.cache))))`,
    );
    return {
      environment: { NODE_OPTIONS: `--require ${probe}` },
      loaded: () =>
        (JSON.parse(readFileSync(note, 'utf8')) as string[]).filter((file) =>
          /@opentelemetry\/(sdk|exporter|otlp|core|resources)|src\/tracing\/tracing\.js/.test(file),
        ),
    };
  }

  itWithRedis('lead from a request to its statement, and from a reservation to its release', async () => {
    const [collector, redis] = await Promise.all([startCollector(), ownRedis()]);
    const modules = noteModules();
    const settings = {
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      HOLD_SECONDS: '1',
      MAX_HOLDS_PER_USER_EVENT: '0',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '50',
    };
    const [api, worker] = await Promise.all([
      startMain([], { ...settings, ...modules.environment }),
      startMain(['--worker'], settings),
    ]);
    const client = new Client(api.url);
    const create = factoriesFor(client);
    const [user, event] = await Promise.all([create.user(), create.event({ total_tickets: 50 })]);
    const body = { user_id: user.id, event_id: event.id };

    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const caller = 'b7ad6b7169203331';
    const traced = { traceparent: `00-${traceId}-${caller}-01` };
    const { body: ticket } = await client.post('/tickets/', body, traced);
    await client.get(`/tickets/${ticket.id}`, traced);
    const find = (wanted: object) =>
      eventually(() => {
        const found = collector.spans.find((span) => span.traceId === traceId && matches(span, wanted));
        if (!found)
          throw new Error(`no ${JSON.stringify(wanted)} in ${JSON.stringify(collector.spans, null, 1)}`);
        return found;
      });
    const reservation = await find({ kind: SERVER, name: 'POST /tickets', parentSpanId: caller });
    const batch = await find({ name: 'place_holds batch', parentSpanId: reservation.spanId });
    await find({ kind: CLIENT, name: 'place_holds', parentSpanId: batch.spanId, service: 'tixxety-api' });
    const look = await find({ kind: SERVER, name: 'GET /tickets/:ticket_id', parentSpanId: caller });
    await find({ kind: CLIENT, name: 'find_ticket', parentSpanId: look.spanId });
    const release = await find({
      kind: CONSUMER,
      parentSpanId: reservation.spanId,
      service: 'tixxety-worker',
    });
    await find({ kind: CLIENT, parentSpanId: release.spanId, service: 'tixxety-worker' });

    // Requests that share a statement find it by a link.
    await eventually(async () => {
      await Promise.all(Array.from({ length: 10 }, () => client.post('/tickets/', body)));
      const shared = collector.spans.find(
        ({ name, links = [] }) => name === 'place_holds batch' && links.length > 0,
      );
      expect(shared).toBeDefined();
      for (const link of shared?.links ?? []) {
        const other = collector.spans.find(({ spanId }) => spanId === link.spanId);
        expect(other).toMatchObject({ name: 'POST /tickets', links: [{ spanId: shared?.spanId }] });
      }
    });
    await client.get('/health/ready');
    await Promise.all([api.stop(), worker.stop()]);
    expect(collector.spans.filter(({ name }) => name.includes('health'))).toEqual([]);
    // Work that no request asked for, such as each look of the sweeper, is no trace.
    const roots = collector.spans.filter(({ parentSpanId }) => !parentSpanId);
    expect(new Set(roots.map(({ kind }) => kind))).toEqual(new Set([SERVER]));
    expect(modules.loaded()).not.toEqual([]);
    collector.stop();
    await redis.stop();
  });

  it('are off by default, and then nothing of them is loaded', async () => {
    const modules = noteModules();
    const api = await startMain([], { DATABASE_URL: database.url, ...modules.environment });
    await factoriesFor(new Client(api.url)).user();
    await api.stop();
    expect(modules.loaded()).toEqual([]);
  });

  it('that nobody receives keep no request from its answer and no process from its end', async () => {
    const deaf = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(deaf, 'listening');
    const api = await startMain([], {
      DATABASE_URL: database.url,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(deaf.address() as AddressInfo).port}`,
      OTEL_BSP_SCHEDULE_DELAY: '50',
    });
    await factoriesFor(new Client(api.url)).user();
    expect(await api.stop()).toMatchObject({ code: 0, stderr: '' });
    deaf.close();
    deaf.closeAllConnections();
  });
});

const matches = (span: Span, wanted: object) =>
  Object.entries(wanted).every(([key, value]) => span[key as keyof Span] === value);
