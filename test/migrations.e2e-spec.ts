import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBareDatabase, type TestDatabase } from './support/databases';
import { runScript } from './support/processes';

const MIGRATIONS = readdirSync(join(__dirname, '../migrations')).length;

describe('npm run migration:*', () => {
  let database: TestDatabase;
  let folder: string;
  beforeEach(async () => {
    database = await createBareDatabase();
    folder = mkdtempSync(join(tmpdir(), 'tixxety-test-'));
    await mkdir(join(folder, 'migrations'));
  });
  afterEach(async () => {
    await database.drop();
    rmSync(folder, { recursive: true });
  });

  const migration = (args: string, url = database.url) =>
    runScript('migration', args.split(' '), { DATABASE_URL: url }, { cwd: folder });

  /** Everything that migrations made, in words. */
  async function schema(): Promise<string[]> {
    const rows = await database.sql<{ description: string }>(`
      SELECT relkind::text || ' ' || oid::regclass AS description FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind <> 'i' AND relname NOT LIKE 'migrations%'
      UNION ALL
      SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default)
      FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'migrations'
      UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint
      WHERE connamespace = 'public'::regnamespace AND conrelid <> 'migrations'::regclass
      UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index
      WHERE indrelid::regclass::text IN (SELECT tablename FROM pg_tables WHERE schemaname = 'public')
        AND indrelid <> 'migrations'::regclass
      UNION ALL SELECT tgname || ' ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
      UNION ALL SELECT pg_get_functiondef(pg_proc.oid) FROM pg_proc
      LEFT JOIN pg_depend ON pg_depend.objid = pg_proc.oid AND deptype = 'e'
      WHERE pronamespace = 'public'::regnamespace AND deptype IS NULL
      UNION ALL SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'
      ORDER BY 1`);
    return rows.map(({ description }) => description);
  }

  it('lead up, down to nothing, and up again', async () => {
    const pending = (await migration('show')).output;
    expect(pending.match(/^pending {2}\w+$/gm)).toHaveLength(MIGRATIONS);

    const { output } = await migration('run');
    expect(output.match(/^Applied \w+\.$/gm)).toHaveLength(MIGRATIONS);
    expect((await migration('show')).output).toBe(pending.replaceAll('pending', 'applied'));
    expect((await migration('run')).output).toBe('Nothing is pending.\n');
    const first = await schema();
    expect(first).toEqual(
      expect.arrayContaining(['r users', 'r events', 'r tickets', 'r inventory', 'cube']),
    );

    for (let i = 0; i < MIGRATIONS; i++) {
      expect((await migration('revert')).output).toMatch(/^Undid \w+\.\n$/);
    }
    expect(await migration('revert')).toMatchObject({ code: 0, output: 'Nothing is applied.\n' });
    expect(await schema()).toEqual([]);

    expect((await migration('run')).output).toBe(output);
    expect(await schema()).toEqual(first);
  });

  it('apply each migration once, also when two are run at the same time', async () => {
    const runs = await Promise.all([migration('run'), migration('run')]);
    expect(runs.map(({ code }) => code)).toEqual([0, 0]);
    const outputs = runs.map(({ output }) => output).join('');
    expect(outputs.match(/^Applied \w+\.$/gm)).toHaveLength(MIGRATIONS);
  });

  it('find out when entities and migrations differ, and write the difference down', async () => {
    await migration('run');
    expect(await migration('check')).toMatchObject({ code: 0, output: 'Entities and migrations agree.\n' });
    expect(await migration('generate nothing')).toMatchObject({
      code: 1,
      output: 'Entities and migrations agree: there is nothing to write.\n',
    });

    await database.sql('ALTER TABLE users DROP COLUMN location_address');
    await database.sql('DROP INDEX tickets_due_idx');
    expect(await migration('check')).toMatchObject({
      code: 1,
      output: expect.stringMatching(
        /^Entities and migrations differ[^]*ADD "location_address"[^]*tickets_due_idx/,
      ),
    });

    expect(await migration('generate bring-back')).toMatchObject({ code: 0 });
    const [file = '', ...others] = readdirSync(join(folder, 'migrations'));
    expect(file).toMatch(/^\d{13}-bring-back\.ts$/);
    expect(others).toEqual([]);
    const source = readFileSync(join(folder, 'migrations', file), 'utf8');
    expect(source).toContain(`export class BringBack${file.slice(0, 13)} implements MigrationInterface`);
    const [, up, down] = /async up\(([^]*)async down\(([^]*)$/.exec(source) ?? [];
    expect(up).toMatch(/ADD "location_address"[^]*CREATE INDEX "tickets_due_idx"/);
    expect(down).toMatch(/DROP INDEX [^;]*"tickets_due_idx"[^]*DROP COLUMN "location_address"/);
  });

  it.each([
    ['generate', 'migration:generate takes a name: npm run migration:generate -- add-refunds'],
    ['generate ../elsewhere', '"../elsewhere" is no name for a migration: use letters, digits and hyphens.'],
    ['undo', 'There is no command "undo". See --help.'],
  ])('tell in one sentence what is wrong with %s', async (args, sentence) => {
    expect(await migration(args)).toMatchObject({ code: 1, output: `${sentence}\n` });
  });

  it('tell in one sentence when there is no database, or not one with the schema', async () => {
    const sentence = /^DATABASE_URL[^\n]+\.\n$/;
    for (const command of ['run', 'check']) {
      const { code, output } = await migration(command, 'postgres://nobody@127.0.0.1:1/nothing');
      expect({ code, output }).toEqual({ code: 1, output: expect.stringMatching(sentence) });
    }
    expect((await migration('check')).output).toMatch(
      /^DATABASE_URL[^\n]+ migrations are pending[^\n]+\.\n$/,
    );
  });
});
