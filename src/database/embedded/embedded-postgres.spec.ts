import { once } from 'node:events';
import { existsSync } from 'node:fs';
import {
  chmod,
  readFile,
  readdir,
  readlink,
  rename,
  rm,
  rmdir,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runSql } from '../../../test/support/databases';
import {
  addressOf,
  kill,
  newFolder,
  spawnEmbeddedChild,
  type EmbeddedChild,
} from '../../../test/support/embedded-child';
import { EmbeddedPostgresError, startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres';

const isRoot = process.getuid?.() === 0;

describe('the embedded PostgreSQL', () => {
  let ready: string;
  let saidOfReady: string[];
  let dataDir: string;
  let said: string[];
  let started: EmbeddedPostgres[];
  let children: EmbeddedChild[];

  beforeAll(async () => {
    ready = await newFolder();
    saidOfReady = [];
    const say = (message: string) => saidOfReady.push(message);
    await (await startEmbeddedPostgres({ dataDir: ready, exclusive: true, say })).stop();
  });

  afterAll(() => rm(ready, { recursive: true }));

  beforeEach(async () => {
    dataDir = await newFolder();
    said = [];
    started = [];
    children = [];
  });

  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(started.map((postgres) => postgres.stop()));
    const left = await postmaster().catch(() => undefined);
    if (left) process.kill(left.pid, 'SIGQUIT');
    if (!existsSync(join(ready, 'postgres')))
      await rename(join(dataDir, 'postgres'), join(ready, 'postgres'));
    await rm(dataDir, { recursive: true, force: true, maxRetries: 10 });
    expect(left).toBeUndefined();
  });

  /** Moves the one cluster here: a test that isn't about making one is spared the time. */
  const useReadyCluster = () => rename(join(ready, 'postgres'), join(dataDir, 'postgres'));

  async function start(exclusive = false): Promise<EmbeddedPostgres> {
    const postgres = await startEmbeddedPostgres({
      dataDir,
      exclusive,
      say: (message) => said.push(message),
    });
    started.push(postgres);
    return postgres;
  }

  function startInChild(): EmbeddedChild {
    const child = spawnEmbeddedChild(dataDir);
    children.push(child);
    return child;
  }

  async function postmaster(): Promise<{ pid: number; port: number }> {
    const lines = (await readFile(join(dataDir, 'postgres/data/postmaster.pid'), 'utf8')).split('\n');
    return { pid: Number(lines[0]), port: Number(lines[3]) };
  }

  const refusal = () => start().catch((error: unknown) => error as Error);

  test('is made once, and keeps its data from one start to the next', async () => {
    expect(saidOfReady).toEqual([`Creating a database in ${ready}/postgres.`]);
    await useReadyCluster();
    const first = await start(true);
    await query(first, 'CREATE TABLE lasting AS SELECT 42 AS answer');
    await first.stop();
    await expect(postmaster()).rejects.toThrow('ENOENT');

    const second = await start(true);
    expect(await query(second, 'SELECT answer FROM lasting')).toEqual([{ answer: 42 }]);
    expect(said).toEqual([]);
  });

  test('is reached with its password over 127.0.0.1 only, and is a durable UTF-8 database', async () => {
    await useReadyCluster();
    const { url } = await start();
    const [settings] = await query(
      { url },
      `
      SELECT current_setting('fsync') AS fsync, current_setting('listen_addresses') AS listens,
             pg_encoding_to_char(encoding) AS encoding, datlocale AS locale, lower('ÄÖ') AS lower, usesuper AS super
      FROM pg_database, pg_user WHERE datname = current_database() AND usename = current_user`,
    );
    expect(settings).toEqual({
      fsync: 'on',
      listens: '127.0.0.1',
      encoding: 'UTF8',
      locale: 'C.UTF-8',
      lower: 'äö',
      super: false,
    });
    expect((await stat(join(dataDir, 'postgres/password'))).mode & 0o777).toBe(0o600);
    await expect(query({ url: url.replace(/:\w+@/, ':wrong@') }, 'SELECT')).rejects.toThrow('password');
  });

  test('runs as long as anyone uses it', async () => {
    await useReadyCluster();
    const [first, second] = [await start(), await start()];
    expect(second.url).toBe(first.url);
    await first.stop();
    await first.stop();
    expect(await query(second, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await second.stop();
    await expect(postmaster()).rejects.toThrow('ENOENT');
  });

  test('belongs to one exclusive user, beside whom others may work', async () => {
    await useReadyCluster();
    const first = await start(true);
    await expect(start(true)).rejects.toThrow(
      new EmbeddedPostgresError(
        `DATA_DIR: another Tixxety already runs on ${dataDir}; stop it, or set DATA_DIR to another folder and PORT ` +
          'to another port to run a second one.',
      ),
    );
    const tool = await start(false);
    await first.stop();
    const next = await start(true);
    expect(next.url).toBe(tool.url);
  });

  test('outlives a user that is killed and is found by the next', async () => {
    await useReadyCluster();
    const child = startInChild();
    const address = await addressOf(child);
    await kill(child);
    const { pid } = await postmaster();
    const next = await start(true);
    expect(next.url).toBe(address);
    expect((await postmaster()).pid).toBe(pid);
  });

  test('recovers when it was killed together with its user', async () => {
    await useReadyCluster();
    const child = startInChild();
    const address = await addressOf(child);
    await query({ url: address }, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await kill(child);
    process.kill((await postmaster()).pid, 'SIGKILL');
    const next = await start(true);
    expect(await query(next, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  test('comes back on the same port when it is killed while in use', async () => {
    await useReadyCluster();
    const user = await start(true);
    await start(false);
    await query(user, 'CREATE TABLE spared AS SELECT 42 AS answer');
    const { pid, port } = await postmaster();
    process.kill(pid, 'SIGKILL');
    const back = `PostgreSQL went away and is back on port ${port}.`;
    while (said.filter((told) => told === back).length < 2) await sleep(10);
    expect(await query(user, 'SELECT answer FROM spared')).toEqual([{ answer: 42 }]);
    await expect(start(true)).rejects.toThrow('another Tixxety');
  });

  test('stops also while it is being brought back', async () => {
    await useReadyCluster();
    const user = await start();
    process.kill((await postmaster()).pid, 'SIGKILL');
    await sleep(5);
    await user.stop();
    await (await start()).stop();
    await expect(postmaster()).rejects.toThrow('ENOENT');
  });

  test('is made once when two processes make it at the same time', async () => {
    const both = [startInChild(), startInChild()];
    const [first, second] = await Promise.all(both.map(addressOf));
    expect(second).toBe(first);
    expect(await readdir(dataDir)).toEqual(['postgres']);
    await Promise.all(both.map(kill));
    await start();
  });

  test('is made anew when making it was interrupted', async () => {
    const child = startInChild();
    const unfinished = async () => (await readdir(dataDir)).filter((name) => name.includes('unfinished'));
    while ((await unfinished()).length === 0) await sleep(5);
    await sleep(100);
    await kill(child);
    expect(await unfinished()).toHaveLength(1);
    await start(); // though initdb is still writing
    expect(await readdir(dataDir)).toEqual(['postgres']);
  });

  test('is not misled by a process that has the number of a server that died', async () => {
    await useReadyCluster();
    const file = join(dataDir, 'postgres/data/postmaster.pid');
    await writeFile(file, `${process.ppid}\n${dataDir}/postgres/data\n1\n20000\n\n127.0.0.1\n\nready   \n`);
    await utimes(file, 1, 1);
    await start();
    expect((await postmaster()).pid).not.toBe(process.ppid);
  });

  test('takes another port when the one of the server that died is not free', async () => {
    await useReadyCluster();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const taken = (other.address() as { port: number }).port;
    await writeFile(join(dataDir, 'postgres/data/postmaster.pid'), `999999\n\n1\n${taken}\n`);
    await start();
    expect((await postmaster()).port).not.toBe(taken);
    other.close();
  });

  test('keeps its log from growing without end', async () => {
    await useReadyCluster();
    const log = join(dataDir, 'postgres/server.log');
    await writeFile(log, Buffer.alloc(5_000_000, 'x'));
    await start();
    expect((await stat(log)).size).toBeLessThan(10_000);
    expect((await stat(`${log}.old`)).size).toBe(5_000_000);
  });

  (isRoot ? test : test.skip)('lives elsewhere when its account cannot reach the folder', async () => {
    await chmod(dataDir, 0o700);
    await (await start()).stop();
    const home = await readlink(join(dataDir, 'postgres'));
    try {
      expect(home).toMatch(/^\/var\/lib\/tixxety\/\w{12}-\w{6}$/);
      expect(said).toEqual([
        `Creating a database in ${home}, because the account that runs PostgreSQL cannot reach DATA_DIR.`,
      ]);
      await (await start(true)).stop();
      expect(said).toHaveLength(1);
    } finally {
      await rm(home, { recursive: true });
      await rmdir('/var/lib/tixxety').catch(() => undefined);
    }
    expect(await refusal()).toMatchObject({ message: expect.stringContaining('which is gone; delete') });
  });
});

const query = ({ url }: { url: string }, text: string) => runSql(url, text);
