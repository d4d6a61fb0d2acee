import { readSettings } from '../../src/config/settings';
import { TixxetyDataSource } from '../../src/database/tixxety-data-source';

/** Gives a database the schema of this build. */
export async function migrate(url: string): Promise<void> {
  const dataSource = await new TixxetyDataSource(readSettings({ DATABASE_URL: url }), 'tool').initialize();
  try {
    await dataSource.runMigrations();
  } finally {
    await dataSource.destroy();
  }
}
