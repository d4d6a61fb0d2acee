import type { Database } from '../harness/database';

/** Sorting millions of rows into an index is quick only in memory. */
const SESSION = `SET maintenance_work_mem = '512MB'`;

/**
 * Runs an INSERT of many rows into a table without its indexes and foreign keys, then makes them anew: a few times
 * faster than keeping them up to date row by row, and in the end the same.
 */
export async function insertInBulk(
  database: Database,
  table: string,
  ...statements: string[]
): Promise<void> {
  const indexes = await database.sql<{ name: string; definition: string }>(
    `SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index
     WHERE indrelid = $1::regclass AND NOT EXISTS (
       SELECT FROM pg_constraint WHERE conrelid = indrelid AND conindid = indexrelid
     )`,
    [table],
  );
  const keys = await database.sql<{ name: string; definition: string }>(
    `SELECT quote_ident(conname) AS name, pg_get_constraintdef(oid) AS definition FROM pg_constraint
     WHERE conrelid = $1::regclass AND contype = 'f'`,
    [table],
  );
  await database.script(
    SESSION,
    ...indexes.map(({ name }) => `DROP INDEX ${name}`),
    ...keys.map(({ name }) => `ALTER TABLE ${table} DROP CONSTRAINT ${name}`),
    ...statements,
    ...indexes.map(({ definition }) => definition),
    ...keys.map(({ name, definition }) => `ALTER TABLE ${table} ADD CONSTRAINT ${name} ${definition}`),
  );
}

/** Leaves nothing of what was filled for autovacuum to begin in the midst of a measurement. */
export async function analyzeTables(database: Database, ...tables: string[]): Promise<void> {
  await database.script(`VACUUM (ANALYZE) ${tables.join(', ')}`);
}
