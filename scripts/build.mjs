/*
 * Builds what has changed, and nothing else. The new build grows in a folder of its own and is then put into place file
 * by file, each at once, so that a server that runs from `dist` or starts meanwhile never misses a file.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const APPLICATION = ['src', 'migrations', 'scripts', 'ormconfig.ts'];
const SETTINGS = ['tsconfig.json', 'tsconfig.build.json', 'nest-cli.json'];
/** The builds, by folder: from which sources, and how. */
const BUILDS = {
  dist: { project: 'tsconfig.build.json', sources: APPLICATION },
  'dist-test': {
    project: 'test/tsconfig.build.json',
    sources: [...APPLICATION, 'test/bench', 'test/chaos', 'test/support', 'test/tsconfig.build.json'],
  },
};
/** What browsers run as it stands. */
const PAGE = 'src/scanner/page';
/** In the folder of a build: the digest of the sources it was made from. */
const STAMP = '.sources';
const LOCK_POLL_MS = 100;
/** No build takes as long: whose lock is older has ended, and its process id may be another's by now. */
const LOCK_LIMIT_MS = 300_000;

/**
 * Brings a build up to date; builds that are asked for at once wait for each other.
 *
 * @param {string} folder `dist` or `dist-test`
 * @returns {Promise<boolean>} whether there was anything to do
 * @throws {BuildError}
 */
export async function build(folder) {
  const { project, sources } = BUILDS[folder] ?? fail(`There is no build "${folder}".`);
  const out = join(ROOT, folder);
  const isCurrent = () => readIfThere(join(out, STAMP)) === digestOf(sources);
  if (isCurrent()) return false;
  return await locked(`${out}.lock`, () => {
    if (isCurrent()) return false;
    const stamp = digestOf(sources);
    compile(project, folder);
    if (existsSync(join(ROOT, PAGE))) cpSync(join(ROOT, PAGE), join(`${out}.new`, PAGE), { recursive: true });
    putIntoPlace(`${out}.new`, out);
    writeFileSync(join(out, STAMP), stamp);
    return true;
  });
}

/** Why there is no build, as a sentence for the person at the terminal. */
export class BuildError extends Error {}

function fail(message) {
  throw new BuildError(message);
}

function digestOf(sources) {
  const digest = createHash('sha256');
  for (const path of [...SETTINGS, ...sources.flatMap(filesOf)].filter((file) => !/\.spec\.ts$/.test(file))) {
    digest
      .update(`${path}\0`)
      .update(readIfThere(join(ROOT, path)) ?? '')
      .update('\0');
  }
  return digest.digest('hex');
}

/** The files of a folder that are built, by path; a file is itself. */
function filesOf(source) {
  const path = join(ROOT, source);
  if (!existsSync(path) || statSync(path).isFile()) return [source];
  return filesIn(path)
    .map((file) => join(source, file))
    .filter((file) => file.endsWith('.ts') || file.startsWith(PAGE));
}

const filesIn = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

function compile(project, folder) {
  const nest = join(ROOT, 'node_modules/@nestjs/cli/bin/nest.js');
  if (!existsSync(nest)) {
    fail('The build is older than its sources, and the compiler is not installed: run `npm ci`.');
  }
  process.stderr.write(`Building ${folder} ...\n`);
  const { status } = spawnSync(process.execPath, [nest, 'build', '-p', project], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (status !== 0) fail('The build failed; the one before is still in place.');
}

/** Replaces what differs, then takes away what is no longer made. Without its stamp the build counts as outdated. */
function putIntoPlace(made, out) {
  rmSync(join(out, STAMP), { force: true });
  const files = filesIn(made);
  for (const file of files) {
    const [from, to] = [join(made, file), join(out, file)];
    mkdirSync(dirname(to), { recursive: true });
    if (!readIfThere(to, null)?.equals(readFileSync(from))) renameSync(from, to);
  }
  const isMade = new Set(files);
  for (const file of filesIn(out)) if (!isMade.has(file)) rmSync(join(out, file));
  rmSync(made, { recursive: true });
  const { bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  for (const program of Object.values(bin))
    if (existsSync(join(ROOT, program))) chmodSync(join(ROOT, program), 0o755);
}

function readIfThere(path, encoding = 'utf8') {
  try {
    return readFileSync(path, encoding);
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Takes over the lock of a process that has ended. */
async function locked(path, work) {
  for (let isTold = false; !take(path);) {
    const holder = readIfThere(path);
    if (holder === undefined) continue;
    if ((holder && !isAlive(Number(holder))) || ageOf(path) > LOCK_LIMIT_MS) rmSync(path, { force: true });
    else {
      if (!isTold) process.stderr.write('Waiting for another build ...\n');
      isTold = true;
      await sleep(LOCK_POLL_MS);
    }
  }
  try {
    return work();
  } finally {
    rmSync(path);
  }
}

function take(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

const ageOf = (path) => Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}
