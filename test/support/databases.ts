import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { readSettings } from '../../src/config/settings';
import { TixxetyDataSource } from '../../src/database/tixxety-data-source';
import { services } from './services';

export interface TestDatabase {
  name: string;
  url: string;
  drop(): Promise<void>;
}

/** An empty database with the schema of this build, for one suite alone. */
export const createDatabase = () => create(services.addresses.server, services.addresses.template);

/** An empty database without any schema. */
export const createBareDatabase = () => create(services.addresses.server, 'template0');

/** What `createDatabase` copies: copying takes a tenth of a second, migrating takes longer. */
export async function createTemplate(server: string): Promise<TestDatabase> {
  const template = await create(server, 'template0');
  const dataSource = await new TixxetyDataSource(
    readSettings({ DATABASE_URL: template.url }),
    'tool',
  ).initialize();
  await dataSource.runMigrations();
  await dataSource.destroy();
  return template;
}

async function create(server: string, template: string): Promise<TestDatabase> {
  const name = `tixxety_test_${randomBytes(6).toString('hex')}`;
  await onServer(server, `CREATE DATABASE ${name} TEMPLATE ${template}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    name,
    url: url.href,
    drop: () => onServer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function onServer(server: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
