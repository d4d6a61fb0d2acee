import { createHash, randomBytes } from 'node:crypto';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  open,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../config/make-folder';
import {
  ELSEWHERE,
  EmbeddedPostgresError,
  ROOT_SHELF,
  canDo,
  codeOf,
  findBinaries,
  openToAll,
  run,
  sweep,
  unfinished,
  unprivilegedAccount,
  type Account,
  type Binaries,
} from './binaries';

/** A complete cluster on disk and what it takes to run it. */
export interface Cluster {
  dataDir: string;
  data: string;
  log: string;
  password: string;
  account: Account;
  binaries: Binaries;
}

/**
 * Opens the cluster of a data folder: `postgres/` with the cluster itself in `data`, its password and its log. Makes
 * it where there is none.
 *
 * @throws {EmbeddedPostgresError | NodeJS.ErrnoException} see {@link trouble}
 */
export async function openCluster(dataDir: string, say: (message: string) => void): Promise<Cluster> {
  await makeFolder(dataDir);
  await sweep(dataDir);
  const place = join(dataDir, 'postgres');
  if (!(await exists(place))) await createCluster(dataDir, place, say);

  const home = await realpath(place).catch(async (error: unknown) => {
    const target = await readlink(place).catch(() => undefined);
    if (target === undefined) throw error;
    throw trouble(
      dataDir,
      `${place} stands for ${target}, which is gone`,
      `delete ${place} to begin an empty one`,
    );
  });
  const data = join(home, 'data');
  try {
    const account = await ownerOf(dataDir, data);
    const major = (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim();
    const password = await readFile(join(home, 'password'), 'utf8');
    const binaries = await findBinaries(account, say);
    if (major !== binaries.major) {
      const reason = `${home} was made by PostgreSQL ${major} and this is PostgreSQL ${binaries.major}`;
      throw trouble(dataDir, reason, `run a PostgreSQL ${major} on ${data} and move the data over`);
    }
    return { dataDir, data, log: join(home, 'server.log'), password, account, binaries };
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'EISDIR'].includes(codeOf(error))) throw error;
    throw trouble(dataDir, `${home} is damaged (${reasonOf(error)})`, 'restore it from a backup');
  }
}

/** The owner of a cluster runs it: root may be starting a cluster of an ordinary user. */
async function ownerOf(dataDir: string, data: string): Promise<Account> {
  const { uid, gid } = await stat(data);
  if (!process.getuid) return undefined;
  if (process.getuid() !== 0) {
    if (uid === process.getuid()) return undefined;
    throw trouble(
      dataDir,
      `${data} belongs to another account`,
      'start Tixxety as that account (or as root)',
    );
  }
  if (uid === 0) {
    throw trouble(
      dataDir,
      `${data} belongs to root, as which PostgreSQL does not run`,
      'give it to another account',
    );
  }
  if (!canDo({ uid, gid }, 'test', '-x', data)) {
    const reason = `${data} belongs to the account ${uid}, which is not let through to it`;
    throw trouble(dataDir, reason, 'let that account pass (chmod a+x) the folders above');
  }
  return { uid, gid };
}

/** Makes the cluster beside its place, so that it is complete when it appears there. */
async function createCluster(dataDir: string, place: string, say: (message: string) => void): Promise<void> {
  const account = unprivilegedAccount();
  const binaries = await findBinaries(account, say);
  let home = place;
  let making = await makeHome(home, account);
  if (making === undefined) {
    // Never the same name twice: the folder that had this path before may live on, elsewhere, with its database.
    const name = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
    home = join(ROOT_SHELF, `${name}-${randomBytes(3).toString('hex')}`);
    await openToAll(ROOT_SHELF);
    await sweep(ROOT_SHELF);
    making = await makeHome(home, account);
  }
  if (making === undefined) {
    throw trouble(dataDir, `the account that runs PostgreSQL can reach neither it nor ${ROOT_SHELF}`);
  }
  try {
    const why = home === place ? '' : ', because the account that runs PostgreSQL cannot reach DATA_DIR';
    say(`Creating a database in ${home}${why}.`);
    const password = join(making, 'password');
    await writeFile(password, randomBytes(24).toString('hex'), { mode: 0o600 });
    if (account) await chown(password, account.uid, account.gid);
    const text = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const access = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${password}`];
    await run(binaries, 'initdb', [...text, ...access, `--pgdata=${join(making, 'data')}`], account);
    await sync(password);
    await sync(making);
    await rename(making, home);
    await sync(join(home, '..'));
    if (home === place) return;
    await symlink(home, place);
    await sync(dataDir);
  } catch (error) {
    const another = await exists(place);
    await rm(making, { recursive: true, force: true });
    if (home !== place) await rm(home, { recursive: true, force: true });
    if (!another) throw error; // else another process was faster, and its cluster is as good
  }
}

/** @returns undefined where the account can't work */
async function makeHome(home: string, account: Account): Promise<string | undefined> {
  const making = unfinished(home);
  const data = join(making, 'data');
  await mkdir(making, { mode: 0o700 });
  try {
    await mkdir(data, { mode: 0o700 });
    if (account === undefined) return making;
    // The folder around the data stays root's, lest the account leads root astray there with a symbolic link.
    await chmod(making, 0o711);
    await chown(data, account.uid, account.gid);
    if (canDo(account, 'test', '-w', data, '-a', '-x', data)) return making;
  } catch (error) {
    // Some file systems have no owners, or don't obey root.
    if (codeOf(error) !== 'EPERM') throw error;
  }
  await rm(making, { recursive: true });
  return undefined;
}

/** A renamed folder is there for good only once the folder around it is on disk; not every system can do that. */
async function sync(path: string): Promise<void> {
  const handle = await open(path).catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

/** True also for a symbolic link that leads nowhere. */
const exists = async (path: string) => (await lstat(path).catch(() => undefined)) !== undefined;

const reasonOf = (cause: unknown) =>
  (cause instanceof Error ? cause.message : String(cause)).replace(/^E[A-Z]+: /, '');

/** Says what keeps the embedded PostgreSQL from working on a data folder, and the ways out. */
export function trouble(dataDir: string, cause: unknown, wayOut?: string): EmbeddedPostgresError {
  if (cause instanceof EmbeddedPostgresError) return cause;
  const code = codeOf(cause);
  const reason = ['EEXIST', 'ENOTDIR'].includes(code) ? 'it is not a folder' : reasonOf(cause);
  if (['EACCES', 'EPERM', 'EROFS'].includes(code)) wayOut = 'allow this account to write there';
  if (/no space left|quota exceeded|wrote only \d+ of/i.test(reason)) wayOut = 'make room on its disk';
  const waysOut = `${wayOut ? `${wayOut}, ` : ''}set DATA_DIR to another folder, or ${ELSEWHERE}`;
  return new EmbeddedPostgresError(
    `DATA_DIR: the embedded PostgreSQL in ${dataDir} cannot run: ${reason}; ${waysOut}.`,
  );
}
