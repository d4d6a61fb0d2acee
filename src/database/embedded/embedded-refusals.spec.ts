import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newFolder } from '../../../test/support/embedded-child';
import { EmbeddedPostgresError, startEmbeddedPostgres } from './embedded-postgres';

const isRoot = process.getuid?.() === 0;

describe('an embedded PostgreSQL that cannot run', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await newFolder();
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true, maxRetries: 10 }));

  const start = () => startEmbeddedPostgres({ dataDir, exclusive: false, say: () => undefined });
  const refusal = () => start().catch((error: unknown) => error as Error);

  test('says in one sentence why a folder cannot be used', async () => {
    const own = dataDir;
    const waysOut = 'set DATA_DIR to another folder, or set DATABASE_URL to a PostgreSQL 15 or newer.';

    await writeFile(join(own, 'file'), '');
    for (dataDir of [join(own, 'file'), join(own, 'file/below')]) {
      const error = await refusal();
      expect(error).toBeInstanceOf(EmbeddedPostgresError);
      expect((error as Error).message).toBe(
        `DATA_DIR: the embedded PostgreSQL in ${dataDir} cannot run: it is not a folder; ${waysOut}`,
      );
    }

    dataDir = isRoot ? '/sys/tixxety' : join(own, 'read-only');
    if (!isRoot) await mkdir(dataDir, { mode: 0o500 });
    expect(await refusal()).toBeInstanceOf(EmbeddedPostgresError);
    dataDir = own;
  });

  test('says in one sentence why a cluster cannot be used', async () => {
    await (await start()).stop();
    const version = join(dataDir, 'postgres/data/PG_VERSION');
    await writeFile(version, '17\n');
    expect(await refusal()).toMatchObject({
      message: expect.stringMatching(
        /^DATA_DIR: .* was made by PostgreSQL 17 and this is PostgreSQL 18; .*\.$/,
      ),
    });
    await rm(version);
    expect(await refusal()).toMatchObject({
      message: expect.stringMatching(
        /^DATA_DIR: .* is damaged \(.*PG_VERSION'\); restore it from a backup, .*\.$/,
      ),
    });
    await writeFile(version, '18\n');
    const control = join(dataDir, 'postgres/data/global/pg_control');
    await rename(control, `${control}.aside`);
    expect(await refusal()).toMatchObject({
      message: expect.stringMatching(/^DATA_DIR: .*pg_control.*; set DATA_DIR to another folder, .*\.$/),
    });
    await rename(`${control}.aside`, control);
  });
});
