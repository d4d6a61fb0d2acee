/*
 * The generators are installed here, by their own lock file: 400 packages that only this check needs stay out of the
 * project's.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';

const HELP = `Usage: npm run clients:check

Makes a client with each of four generators from openapi.json, compiles them strictly, and lets one of them walk the
journey against a server of its own.
`;
const HERE = import.meta.dirname;
const OPENAPI = `${HERE}/../../openapi.json`;
const INSTALLED = `${HERE}/node_modules/.package-lock.json`;

const GENERATORS = {
  'openapi-typescript': ['openapi-typescript', OPENAPI, '-o', 'generated/openapi-typescript/schema.d.ts'],
  '@hey-api/openapi-ts': ['openapi-ts', '-i', OPENAPI, '-o', 'generated/hey-api', '--no-log-file'],
  orval: ['orval', '--input', OPENAPI, '--output', 'generated/orval/client.ts', '--client', 'fetch'],
  'swagger-typescript-api': [
    'swagger-typescript-api',
    ...['generate', '-p', OPENAPI, '-o', 'generated/swagger-typescript-api', '-n', 'client.ts'],
  ],
};

/**
 * Runs a command here; its output is shown only where it fails.
 *
 * @throws {Error} that ends the check
 */
function run(what, command, args) {
  const begun = Date.now();
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd: HERE, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${stdout}${stderr}${error?.message ?? ''}\n${what}: FAILED`);
  process.stdout.write(`${what}: ok, ${((Date.now() - begun) / 1_000).toFixed(1)} s\n`);
}
const tool = (name) => `${HERE}/node_modules/.bin/${name}`;

async function check() {
  const isInstalled =
    existsSync(INSTALLED) && statSync(INSTALLED).mtimeMs >= statSync(`${HERE}/package-lock.json`).mtimeMs;
  if (!isInstalled)
    run('install the generators', 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']);

  rmSync(`${HERE}/generated`, { recursive: true, force: true });
  mkdirSync(`${HERE}/generated`);
  for (const [name, [command, ...args]] of Object.entries(GENERATORS))
    run(`generate by ${name}`, tool(command), args);
  run('compile strictly', tool('tsc'), ['-p', 'tsconfig.json']);
  // What openapi-ts writes leaves file extensions to a bundler.
  run('compile strictly as a bundler resolves', tool('tsc'), ['-p', 'tsconfig.bundler.json']);

  const { startDemoServer } = createRequire(import.meta.url)('../../dist/scripts/demo/server.js');
  const server = await startDemoServer(120);
  try {
    run('walk the journey', process.execPath, ['generated/build/journey.mjs', server.url]);
  } finally {
    await server.stop();
  }
}

const [argument] = process.argv.slice(2);
if (argument === '--help' || argument === '-h') {
  process.stdout.write(HELP);
  process.exit();
}
if (argument !== undefined) {
  process.stderr.write(`Unexpected argument '${argument}'. See --help.\n`);
  process.exit(1);
}
check().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
