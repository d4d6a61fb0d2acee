import { MigrationExecutor } from 'typeorm';
import type { SqlInMemory } from 'typeorm/driver/SqlInMemory.js';
import { readSettings } from '../src/config/settings';
import { openDatabase } from '../src/database/open-database';
import { TixxetyDataSource } from '../src/database/tixxety-data-source';
import { readArguments, runScript, say, ScriptError } from './run-script';

const HELP = `Usage: tixxety migrate [command], or npm run migration:<command>

Commands, on the database of DATABASE_URL or else the embedded one:
  run               apply what is pending (also without a command)
  revert            undo the last one that was applied
  show              list what is applied and what is pending
  generate -- NAME  write migrations/<timestamp>-NAME.ts from what changed in the entities
  check             fail when the entities and the migrations differ
`;

type Query = SqlInMemory['upQueries'][number];

const COMMANDS: Record<string, (database: TixxetyDataSource, name: string) => Promise<void>> = {
  run,
  revert,
  show,
  generate,
  check,
};

// TypeORM asks about all array columns of a table at once, on one connection, of which pg warns.
process.noDeprecation = true;

runScript(async () => {
  const { values, positionals } = readArguments({ help: { type: 'boolean', short: 'h' } }, true);
  const [command = 'run', name = '', ...rest] = positionals;
  if (values.help) {
    say(HELP);
    return;
  }
  const work = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  if (!work) throw new ScriptError(`There is no command "${command}". See --help.`);
  if (rest.length > 0 || (name !== '' && work !== generate)) {
    throw new ScriptError(`migration:${command} takes ${work === generate ? 'one name' : 'no name'}.`);
  }
  if (work === generate) requireName(name);

  const settings = readSettings();
  // Comparing entities with the database says something only about a schema that is up to date.
  const database = [generate, check].includes(work)
    ? await openDatabase({ settings, migrate: false, say }, 'tool')
    : await new TixxetyDataSource(settings, 'tool', say).initialize();
  try {
    await work(database, name);
  } finally {
    await database.destroy();
  }
});

async function run(database: TixxetyDataSource): Promise<void> {
  const applied = await database.runMigrations();
  for (const { name } of applied) say(`Applied ${name}.`);
  if (applied.length === 0) say('Nothing is pending.');
}

async function revert(database: TixxetyDataSource): Promise<void> {
  const [last] = await new MigrationExecutor(database).getExecutedMigrations();
  if (last && !isKnown(database, last)) {
    throw new ScriptError(
      `The last migration is ${last.name}, which this build does not know: undo it with the newer build that applied it.`,
    );
  }
  if (last) await database.undoLastMigration();
  say(last ? `Undid ${last.name}.` : 'Nothing is applied.');
}

async function show(database: TixxetyDataSource): Promise<void> {
  const executor = new MigrationExecutor(database);
  for (const migration of (await executor.getExecutedMigrations()).reverse())
    say(`applied  ${migration.name}${isKnown(database, migration) ? '' : ', by a newer build'}`);
  for (const { name } of await executor.getPendingMigrations()) say(`pending  ${name}`);
}

const isKnown = (database: TixxetyDataSource, { name }: { name: string }) =>
  database.migrations.some((migration) => (migration.name ?? migration.constructor.name) === name);

async function check(database: TixxetyDataSource): Promise<void> {
  const { up } = await difference(database);
  if (up.length > 0) {
    const statements = up.map(({ query }) => `  ${query}`).join('\n');
    throw new ScriptError(
      `Entities and migrations differ; \`npm run migration:generate -- NAME\` would write:\n${statements}`,
    );
  }
  say('Entities and migrations agree.');
}

async function generate(database: TixxetyDataSource, name: string): Promise<void> {
  const { up, down } = await difference(database);
  if (up.length === 0) throw new ScriptError('Entities and migrations agree: there is nothing to write.');
  const { writeMigration } = await import('./write-migration.js').catch(() => {
    throw new ScriptError('migration:generate needs the development packages: run `npm ci`.');
  });
  const path = await writeMigration(name, up, down);
  say(`Wrote ${path}: read it before you run it.`);
}

function requireName(name: string): void {
  if (name === '') {
    throw new ScriptError('migration:generate takes a name: npm run migration:generate -- add-refunds');
  }
  if (!/^[a-z][a-z0-9]*([-_][a-z0-9]+)*$/i.test(name)) {
    throw new ScriptError(`"${name}" is no name for a migration: use letters, digits and hyphens.`);
  }
}

/** The statements that would bring the database to the entities, and those that would bring it back. */
async function difference(database: TixxetyDataSource): Promise<{ up: Query[]; down: Query[] }> {
  const { upQueries, downQueries } = await database.driver.createSchemaBuilder().log();
  return { up: upQueries, down: downQueries.reverse() };
}
