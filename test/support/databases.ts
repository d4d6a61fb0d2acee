import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { eventually } from './eventually';
import { migrate } from './migrate';
import { services } from './services';
import { TEST_ADMIN } from './tokens';

export interface TestDatabase {
  name: string;
  url: string;
  /** Runs SQL on a connection of its own, unknown to the users of the database. */
  sql<Row = any>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Runs SQL in a transaction that stays open, with all its locks, until `commit`. */
  begin(text: string, values?: unknown[]): Promise<{ commit(): Promise<void> }>;
  /** Waits until a session waits for a lock, or so many do. */
  untilBlocked(sessions?: number): Promise<void>;
  drop(): Promise<void>;
}

/** An empty database with the schema of this build, for one suite alone. */
export const createDatabase = () => create(services.addresses.server, services.addresses.template);

/** An empty database without any schema. */
export const createBareDatabase = (server = services.addresses.server) => create(server, 'template0');

/**
 * What `createDatabase` copies: copying takes a tenth of a second, migrating takes longer.
 *
 * @param options of CREATE DATABASE
 */
export async function createTemplate(server: string, options = ''): Promise<TestDatabase> {
  const template = await create(server, `template0 ${options}`);
  await migrate(template.url);
  await template.sql(
    `INSERT INTO users (id, name, email, role) OVERRIDING SYSTEM VALUE VALUES ($1, 'Admin', $2, 'admin')`,
    [TEST_ADMIN.id, TEST_ADMIN.email],
  );
  return template;
}

async function create(server: string, template: string): Promise<TestDatabase> {
  const name = `tixxety_test_${randomBytes(6).toString('hex')}`;
  await runSql(server, `CREATE DATABASE ${name} TEMPLATE ${template}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    name,
    url: url.href,
    sql: (text, values) => runSql(url.href, text, values),
    begin: async (text, values) => {
      const client = new Client({ connectionString: url.href });
      await client.connect();
      await client.query('BEGIN');
      await client.query(text, values);
      return {
        commit: async () => {
          await client.query('COMMIT');
          await client.end();
        },
      };
    },
    untilBlocked: async (sessions = 1) => {
      await eventually(async () =>
        expect((await runSql(url.href, BLOCKED)).length).toBeGreaterThanOrEqual(sessions),
      );
    },
    drop: async () => {
      // Refused while an autovacuum, which only a superuser may break off, looks at the database.
      await eventually(() => runSql(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    },
  };
}

const BLOCKED = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;

/** Runs SQL on a connection of its own. */
export async function runSql(url: string, sql: string, values?: unknown[]) {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql, values)).rows;
  } finally {
    await client.end();
  }
}
