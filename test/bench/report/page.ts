import { readFile, writeFile } from 'node:fs/promises';
import { sentenceOn } from './machine';
import type { Results } from './results';
import { figuresMarkdown } from './table';

const BEGIN = '<!-- bench:begin -->';
const END = '<!-- bench:end -->';

/**
 * Puts the results between the page's markers.
 *
 * @throws {Error} when the page has no markers
 */
export async function writeResults(page: string, results: Results): Promise<void> {
  await writeFile(page, withResults(await readFile(page, 'utf8'), results));
}

export function withResults(page: string, results: Results): string {
  const [before, rest] = page.split(BEGIN);
  const [, after] = rest?.split(END) ?? [];
  if (before === undefined || after === undefined) throw new Error(`No ${BEGIN} and ${END} on the page`);
  const { machine, parts } = results;
  const sections = [
    BEGIN,
    `Measured on ${datesOf(parts)}.\nMachine: ${sentenceOn(machine)}.`,
    figuresMarkdown(parts),
    END,
  ];
  return before + sections.join('\n\n') + after;
}

/** The days of the measurements; where there are several, with the parts that were measured on each. */
function datesOf(parts: Results['parts']): string {
  const days: Record<string, string[]> = {};
  for (const [name, { at }] of Object.entries(parts)) (days[at.slice(0, 10)] ??= []).push(name);
  const named = Object.entries(days).sort(([a], [b]) => a.localeCompare(b));
  return named.map(([day, names]) => (named.length === 1 ? day : `${day} (${names.join(', ')})`)).join(', ');
}
