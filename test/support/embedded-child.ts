import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

const MODULE = join(__dirname, '../../src/database/embedded/embedded-postgres.ts');

/** Prints the address of the embedded PostgreSQL, then uses it until it is killed. */
const SOURCE = `
  const { transformFileSync } = require('@swc/core');
  require.extensions['.ts'] = (module, path) => {
    const jsc = { parser: { syntax: 'typescript' }, target: 'es2022' };
    module._compile(transformFileSync(path, { swcrc: false, jsc, module: { type: 'commonjs' } }).code, path);
  };
  const { startEmbeddedPostgres } = require(${JSON.stringify(MODULE)});
  startEmbeddedPostgres({ dataDir: process.argv[1], exclusive: false, say: () => undefined })
    .then(({ url }) => console.log(url));
`;

export type EmbeddedChild = ChildProcessByStdio<null, Readable, null>;

/** Uses the embedded PostgreSQL in a folder, from a process that may be killed. */
export const spawnEmbeddedChild = (dataDir: string): EmbeddedChild =>
  spawn(process.execPath, ['-e', SOURCE, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });

export const addressOf = async ({ stdout }: EmbeddedChild): Promise<string> =>
  String((await once(stdout, 'data'))[0]).trim();

export async function kill(child: EmbeddedChild): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** A folder for an embedded PostgreSQL; its path has a space. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'tixxety database '));
  await chmod(folder, 0o755); // under root, another account runs PostgreSQL
  return folder;
}
