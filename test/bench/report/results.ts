import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { PartReport } from '../part';
import type { Machine } from './machine';

export interface MeasuredPart extends PartReport {
  /** ISO date and time. */
  at: string;
  commit: string;
  rounds: number;
  seconds: number;
}

/** All that was measured on one machine; parts that ran at another time say so. */
export interface Results {
  machine: Machine;
  parts: Record<string, MeasuredPart>;
}

const FILE = 'latest.json';

/**
 * Puts what was measured now in the place of what those parts measured before; another machine's results go.
 *
 * @returns what is kept, to its last digit: pictures drawn of it are those that are drawn of the file
 */
export async function keepResults(folder: string, results: Results): Promise<Results> {
  const before = await readResults(folder);
  const kept = isDeepStrictEqual(before?.machine, results.machine) ? before?.parts : {};
  const merged = { ...results, parts: { ...kept, ...results.parts } };
  await mkdir(folder, { recursive: true });
  const path = join(folder, FILE);
  // It is committed, and the style of what is committed is checked.
  const { format, resolveConfig } = await import('prettier');
  const style = await resolveConfig(path);
  const json = JSON.stringify(merged, roundNumbers);
  await writeFile(path, await format(json, { ...style, filepath: path }));
  return JSON.parse(json) as Results;
}

/** What was kept in a folder; undefined where nothing was. */
export async function readResults(folder: string): Promise<Results | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, FILE), 'utf8')) as Results;
  } catch {
    return undefined;
  }
}

/** Four decimals are more than a measurement tells. */
const roundNumbers = (_key: string, value: unknown): unknown =>
  typeof value === 'number' ? Math.round(value * 10_000) / 10_000 : value;
