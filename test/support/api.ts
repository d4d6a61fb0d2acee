import type { NestExpressApplication } from '@nestjs/platform-express';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { createApi } from '../../src/api';
import { readSettings, type Settings } from '../../src/config/settings';
import { TixxetyDataSource } from '../../src/database/tixxety-data-source';
import { Client } from './client';
import { createDatabase } from './databases';
import { factoriesFor, type Factories } from './factories';
import { TEST_SECRET } from './tokens';

export interface TestApi {
  app: NestExpressApplication;
  client: Client;
  create: Factories;
  /** Runs SQL behind the API's back. */
  sql<Row = any>(text: string, values?: unknown[]): Promise<Row[]>;
  settings: Settings;
  stop(): Promise<void>;
}

const running = new Set<TestApi>();

// A test that fails may not come to stop what it started, and Jest would wait for it.
afterAll(async () => {
  for (const api of running) await api.stop();
});

/** The API in this process, on a database of its own and a free port. */
export async function startTestApi(environment: Record<string, string> = {}): Promise<TestApi> {
  const database = environment.DATABASE_URL ? undefined : await createDatabase();
  const settings = readSettings({
    NODE_ENV: 'test',
    DATABASE_URL: database?.url,
    JWT_SECRET: TEST_SECRET,
    RATE_LIMIT_PER_MINUTE: '0',
    MAX_EVENTS_PER_USER_HOUR: '0',
    HOLD_COOL_DOWN_SECONDS: '0',
    ...environment,
  });
  const dataSource = await new TixxetyDataSource(settings, 'api').initialize();
  const app = await createApi(settings, dataSource, pino({ level: 'silent' }));
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const client = new Client(`http://127.0.0.1:${port}`);
  const api: TestApi = {
    app,
    client,
    create: factoriesFor(client),
    sql: (text, values) => dataSource.query(text, values),
    settings,
    stop: async () => {
      running.delete(api);
      // A connection whose request ends after the close would be kept for the next one.
      const closing = setInterval(() => app.getHttpServer().closeIdleConnections(), 100);
      await app.close();
      clearInterval(closing);
      await database?.drop();
    },
  };
  running.add(api);
  return api;
}
