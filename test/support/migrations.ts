import type { DataSource } from 'typeorm';

/** Undoes migrations down to the one whose name begins so, and with it. */
export async function undoTo(dataSource: DataSource, name: string): Promise<void> {
  const migrations = await dataSource.query<{ name: string }[]>(
    'SELECT name FROM migrations ORDER BY id DESC',
  );
  const last = migrations.findIndex((migration) => migration.name.startsWith(name));
  for (let i = 0; i <= last; i++) await dataSource.undoLastMigration();
}
