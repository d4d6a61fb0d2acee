import type { Settings } from '../config/settings';
import { StartupError } from '../config/startup-error';
import type { Role } from './connection-options';
import { TixxetyDataSource } from './tixxety-data-source';

export interface DatabaseOptions {
  settings: Settings;
  /** Apply pending migrations to an external database too; to the embedded one they are always applied. */
  migrate: boolean;
  /** Tells the person at the terminal, or the log, about a slow step and about migrations. */
  say: (message: string) => void;
  /** Once it is aborted, the start ends at its next step with the signal's reason. */
  stopped?: AbortSignal;
}

/**
 * Connects to the database and makes sure that its schema is the one this build was written for.
 *
 * @throws {StartupError} when there is no database to be had, it takes no writes, or migrations are pending that may
 *   not be applied
 */
export async function openDatabase(
  { settings, migrate, say, stopped }: DatabaseOptions,
  role: Role,
): Promise<TixxetyDataSource> {
  const dataSource = await new TixxetyDataSource(settings, role, say, stopped).initialize();
  try {
    stopped?.throwIfAborted();
    await dataSource.requireMeaning();
    if (migrate || settings.DATABASE_URL === undefined) await applyMigrations(settings, dataSource.url, say);
    else if (await dataSource.showMigrations()) throw new StartupError(PENDING);
    const [{ mode }] = await dataSource.query<[{ mode: string }]>(
      `SELECT current_setting('transaction_read_only') AS mode`,
    );
    if (mode === 'on') throw new StartupError(READ_ONLY);
    stopped?.throwIfAborted();
    return dataSource;
  } catch (error) {
    await dataSource.destroy();
    throw error;
  }
}

/** As a tool, which may take as long as it needs: building an index on a large table takes minutes. */
async function applyMigrations(settings: Settings, url: string, say: DatabaseOptions['say']): Promise<void> {
  const tool = await new TixxetyDataSource({ ...settings, DATABASE_URL: url }, 'tool').initialize();
  try {
    const begun = performance.now();
    const applied = await tool.runMigrations();
    const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
    if (applied.length > 0)
      say(`Applied migrations in ${seconds} s: ${applied.map(({ name }) => name).join(', ')}`);
  } finally {
    await tool.destroy();
  }
}

const PENDING =
  'DATABASE_URL names a database whose migrations are pending: run `npx tixxety migrate`, or start with --migrate.';

const READ_ONLY =
  'DATABASE_URL names a PostgreSQL that takes no writes: point it at the primary, promote this one, or undo ' +
  'default_transaction_read_only.';
