/*
 * `node scripts/run.mjs <program> [arguments]` builds what has changed, then runs a program of the build in this process.
 * Without a program it only builds. Help needs no build that is up to date.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, BuildError } from './build.mjs';

const [program = 'dist', ...rest] = process.argv.slice(2);
const isHelp = rest.some((argument) => argument === '--help' || argument === '-h');

try {
  if (!isHelp || !existsSync(program)) await build(program.split('/', 1)[0]);
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
if (program !== 'dist') {
  // As if Node had been started with it.
  process.argv = [process.argv[0], resolve(program), ...rest];
  // Where help is piped into `head`, its end is not wanted.
  if (isHelp) process.stdout.on('error', () => undefined);
  await import(pathToFileURL(resolve(program)));
}
