import type { QueryRunner } from 'typeorm';
import { readSettings } from '../../src/config/settings';
import { TixxetyDataSource } from '../../src/database/tixxety-data-source';
import { createDatabase } from './databases';
import type { Cleanup } from './cleanup';

/** A session of the API with a database, filled by the statements, that PostgreSQL gathers no statistics of by itself. */
export async function openUnanalyzedSession(statements: string[], cleanup: Cleanup): Promise<QueryRunner> {
  const database = await createDatabase();
  cleanup.add(() => database.drop());
  const tables = await database.sql<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
  );
  for (const { name } of tables) {
    await database.sql(`ALTER TABLE ${name} SET (autovacuum_enabled = false)`);
  }
  for (const statement of statements) await database.sql(statement);
  const source = await new TixxetyDataSource(
    readSettings({ DATABASE_URL: database.url }),
    'api',
  ).initialize();
  cleanup.add(() => source.destroy());
  return source.createQueryRunner();
}

const PAGES = `SELECT sum(pg_stat_get_xact_blocks_fetched(oid))::int AS pages FROM pg_class
  WHERE relnamespace = 'public'::regnamespace`;

/** How many pages a statement reads, in the functions that it calls, too. Undoes what it does. */
export async function pagesReadIn(session: QueryRunner, text: string, values: unknown[]): Promise<number> {
  const pages = async () => ((await session.query(PAGES)) as [{ pages: number }])[0].pages;
  await session.startTransaction();
  const first = await pages();
  await session.query(text, values);
  const last = await pages();
  await session.rollbackTransaction();
  return last - first;
}
