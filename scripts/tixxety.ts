#!/usr/bin/env node
import { join } from 'node:path';
import { VERSION } from '../src/version';
import { runScript, say, ScriptError } from './run-script';

const HELP = `Usage: tixxety <command> [options]

Commands:
  start     the API; --migrate applies pending migrations first
  worker    a worker that makes holds end on time (needs REDIS_URL)
  migrate   bring the database's schema up to date; migrate show, migrate revert
  doctor    check that everything is as it must be, and say what to do where it is not
  seed      fill a new database with believable data
  rotate-ticket-key  let a new key sign tickets; those that are sold stay good

Options:
  -h, --help     show this help, or that of a command: tixxety doctor --help
  -v, --version  show the version

Settings come from the environment and from .env; README.md lists them.
`;

/** The program of each command, by its path in the build, and the arguments that come before those given. */
const PROGRAMS: Record<string, string[]> = {
  start: ['src/main.js'],
  worker: ['src/main.js', '--worker'],
  migrate: ['scripts/migration.js'],
  doctor: ['scripts/doctor/main.js'],
  seed: ['scripts/seed/main.js'],
  'rotate-ticket-key': ['scripts/rotate-ticket-key.js'],
};

runScript(async () => {
  const [command = '--help', ...rest] = process.argv.slice(2);
  if (command === '-h' || command === '--help') {
    say(HELP);
    return;
  }
  if (command === '-v' || command === '--version') {
    say(VERSION);
    return;
  }
  const [program, ...args] = Object.hasOwn(PROGRAMS, command) ? (PROGRAMS[command] ?? []) : [];
  if (program === undefined) throw new ScriptError(`There is no command "${command}". See tixxety --help.`);
  const path = join(__dirname, '..', program);
  // As if Node had been started with it; a cluster starts its processes by the same path.
  process.argv = [process.execPath, path, ...args, ...rest];
  await import(path);
});
