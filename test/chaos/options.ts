import { randomInt } from 'node:crypto';
import { resolve } from 'node:path';
import { readArguments } from '../../src/config/command-line';
import { StartupError } from '../../src/config/startup-error';
import type { Fault } from './faults/fault';
import { FAULTS } from './faults/faults';

export interface Options {
  /** Each makes a run of its own. */
  seeds: number[];
  /** Of one seed. */
  minutes: number;
  /** Undefined: as many as there is time for, in an order that the seed decides. */
  faults: readonly Fault[] | undefined;
  /** Everything is shorter; where no faults are named, one of each family. */
  isBrief: boolean;
  /** Takes the guards of the places away: the run is good only if that is noticed. */
  withoutGuard: boolean;
  /** Where the logs of the processes are kept; undefined: nowhere. */
  logs: string | undefined;
}

const WIDTH = Math.max(...FAULTS.map(({ name }) => name.length)) + 2;
const MAX_SEED = 2 ** 31;

const OPTIONS = {
  seeds: { type: 'string' },
  seed: { type: 'string', multiple: true },
  minutes: { type: 'string' },
  fault: { type: 'string', multiple: true },
  family: { type: 'string', multiple: true },
  brief: { type: 'boolean' },
  'without-guard': { type: 'boolean' },
  logs: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

export const HELP = `Usage: npm run test:chaos -- [options]

Breaks a running Tixxety, two APIs and two workers with a PostgreSQL and a Redis of their own, while customers reserve and
order, pay and cancel. Then holds what the customers were told against the database: nothing acknowledged may be lost,
nothing be done twice, no place or use of a code be sold twice.

Options:
  --seeds n        how many runs, each with another random seed (1); or seeds with commas between them, such as 7,8
  --seed n         the run with this seed again
  --minutes m      how long a run goes on from one fault to the next (1)
  --fault a,b      all these faults or families (below), however long they take; "all" for all
  --family a,b     the same
  --brief          one fault of each family unless --fault names them, and short
  --without-guard  take the guards of the places away: fails unless an oversold event, type and code are found
  --logs folder    keep the logs of the processes there
  -h, --help       show this help

Faults, by family:
${families()
  .map((family) => `  ${family}\n${linesOf(family)}`)
  .join('\n')}
`;

function families(): string[] {
  return [...new Set(FAULTS.map(({ family }) => family))];
}

function linesOf(family: string): string {
  return FAULTS.filter((fault) => fault.family === family)
    .map(
      ({ name, about, onRequest }) =>
        `    ${name.padEnd(WIDTH)}${about}${onRequest ? ' (only by its name)' : ''}`,
    )
    .join('\n');
}

/**
 * Reads the command line; undefined when only help was asked for.
 *
 * @throws {StartupError} for what there is not
 */
export function readOptions(argv: string[]): Options | undefined {
  const { values } = readArguments(OPTIONS, false, argv);
  if (values.help) return undefined;
  const minutes = Number(values.minutes ?? 1);
  if (!(minutes > 0 && minutes <= 1_440))
    throw new StartupError(`--minutes must be a number above 0, at most 1440, not "${values.minutes}".`);
  return {
    seeds: seedsOf(values.seeds, values.seed),
    minutes,
    faults: pick([...(values.fault ?? []), ...(values.family ?? [])]),
    isBrief: values.brief ?? false,
    withoutGuard: values['without-guard'] ?? false,
    logs: values.logs === undefined ? undefined : resolve(values.logs),
  };
}

function seedsOf(seeds = '', seed: string[] = []): number[] {
  const named = [
    ...seed,
    ...(seeds.includes(',') ? seeds.split(',').filter((text) => text.trim() !== '') : []),
  ];
  if (named.length > 0) return named.map((text) => wholeNumber('--seed', text, 0));
  const count = seeds === '' ? 1 : wholeNumber('--seeds', seeds, 1);
  return Array.from({ length: count }, () => randomInt(MAX_SEED));
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!(text.trim() !== '' && Number.isInteger(value) && value >= least && value < MAX_SEED))
    throw new StartupError(`${name} must be a whole number from ${least} to ${MAX_SEED - 1}, not "${text}".`);
  return value;
}

function pick(names: string[]): Fault[] | undefined {
  if (names.length === 0) return undefined;
  const wanted = names
    .join(',')
    .split(',')
    .map((name) => name.trim());
  const isMeant = ({ name, family, onRequest }: Fault, word: string) =>
    word === name || (!onRequest && (word === family || word === 'all'));
  const unknown = wanted.find(
    (word) => word !== 'all' && !FAULTS.some((fault) => word === fault.name || word === fault.family),
  );
  if (unknown !== undefined) {
    const known = FAULTS.map(({ name }) => name).join(', ');
    throw new StartupError(`--fault: there is no "${unknown}"; there are ${known}.`);
  }
  return FAULTS.filter((fault) => wanted.some((word) => isMeant(fault, word)));
}
