import { resolve } from 'node:path';
import { readArguments } from '../../src/config/command-line';
import { StartupError } from '../../src/config/startup-error';
import type { Part } from './part';
import { PARTS } from './parts';

export interface Options {
  parts: Part[];
  rounds: number;
  /** Length of one measurement. */
  seconds: number;
  /** Share of the sizes that are asked for; anything but 1 is for trying the benchmark itself. */
  scale: number;
  /** Print the figures as Markdown. */
  markdown: boolean;
  /** Where results and pictures are kept; undefined: nowhere. */
  out: string | undefined;
  /** The page that shows what is kept in the project; undefined where it is kept elsewhere. */
  page: string | undefined;
  /** Measure nothing: draw the pictures and write the page from the results that are kept. */
  redraw: boolean;
  /** Where CPU profiles of the API go. */
  profile: string | undefined;
}

const RESULTS = 'test/bench/results';
const PAGE = 'docs/SCALING.md';
const WIDTH = Math.max(...PARTS.map(({ name }) => name.length)) + 2;

const OPTIONS = {
  only: { type: 'string' },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  scale: { type: 'string' },
  markdown: { type: 'boolean' },
  out: { type: 'string' },
  redraw: { type: 'boolean' },
  profile: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

export const HELP = `Usage: npm run bench -- [options]

Measures Tixxety on this machine, side by side with what it is compared with, on an embedded PostgreSQL or on that of
DATABASE_URL, in databases of its own that it drops.

Options:
  --only a,b       only these parts (below)
  --rounds n       how often everything is measured; medians count (3)
  --seconds n      length of one measurement (3)
  --scale x        share of the sizes, such as 0.01, to try the benchmark itself (1)
  --markdown       print the figures as a Markdown table
  --out folder     where latest.json and the pictures go (the whole benchmark: test/bench/results, and its table to
                   docs/SCALING.md; a part of it, or another scale: nowhere)
  --redraw         measure nothing; make pictures and table anew from latest.json
  --profile folder write CPU profiles of the API there (open them in Chrome's DevTools)
  -h, --help       show this help

Parts:
${PARTS.map(({ name, about, onRequest }) => `  ${name.padEnd(WIDTH)}${about}${onRequest ? ' (only when asked for)' : ''}`).join('\n')}
`;

/**
 * Reads the command line; undefined when only help was asked for.
 *
 * @throws {StartupError} for what the benchmark does not know
 */
export function readOptions(argv: string[]): Options | undefined {
  const { values } = readArguments(OPTIONS, false, argv);
  if (values.help) return undefined;
  const scale = number('scale', values.scale, 1);
  const out = outFolder(values.out, scale === 1 && values.only === undefined);
  return {
    parts: pick(values.only),
    rounds: Math.ceil(number('rounds', values.rounds, 3)),
    seconds: number('seconds', values.seconds, 3),
    scale,
    markdown: values.markdown ?? false,
    out,
    page: out === resolve(RESULTS) ? resolve(PAGE) : undefined,
    redraw: values.redraw ?? false,
    profile: values.profile === undefined ? undefined : resolve(values.profile),
  };
}

/** The published figures are replaced by a whole benchmark only, unless they are named. */
function outFolder(named: string | undefined, isWhole: boolean): string | undefined {
  if (named !== undefined) return resolve(named);
  return isWhole ? resolve(RESULTS) : undefined;
}

function pick(only: string | undefined): Part[] {
  if (only === undefined) return PARTS.filter(({ onRequest }) => !onRequest);
  const wanted = only.split(',').map((name) => name.trim());
  const unknown = wanted.find((name) => !PARTS.some((part) => part.name === name));
  if (unknown !== undefined) {
    const known = PARTS.map(({ name }) => name).join(', ');
    throw new StartupError(`--only: there is no part "${unknown}"; there are ${known}.`);
  }
  return PARTS.filter(({ name }) => wanted.includes(name));
}

function number(name: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (!(value > 0 && value < 1_000))
    throw new StartupError(`--${name} must be a number above 0 and below 1000, not "${text}".`);
  return value;
}
