import { verdictOn, type Figure } from '../figure';
import type { Results } from './results';

const HEAD = ['what', 'value', 'at least', 'reach for', ''];
const NUMERIC = [false, true, true, true, false];

/** The figures of all parts for a terminal. */
export function figuresTable(parts: Results['parts']): string {
  const rows = [HEAD, ...rowsOf(parts)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number) =>
    NUMERIC[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

/** The same in Markdown. */
export function figuresMarkdown(parts: Results['parts']): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  const rule = NUMERIC.map((numeric) => (numeric ? '---:' : '---'));
  return [HEAD, rule, ...rowsOf(parts)].map(line).join('\n');
}

/** Rates and times of all that was measured, for a terminal. */
export function measurementsTable(parts: Results['parts']): string {
  return Object.entries(parts)
    .flatMap(([part, { measurements, notes = [] }]) => [
      ...Object.entries(measurements).map(([name, { perSecond, p50, p99, outcomes }]) => {
        const answers = Object.entries(outcomes).map(([outcome, number]) => `${number} × ${outcome}`);
        return (
          `${part.padEnd(9)} ${name.padEnd(40)} ${perSecond.toFixed(0).padStart(6)}/s  p50 ${p50.toFixed(1)} ms  ` +
          `p99 ${p99.toFixed(1)} ms  ${answers.join(', ')}`
        );
      }),
      ...notes.map((note) => `${part.padEnd(9)} ${note}`),
    ])
    .join('\n');
}

const rowsOf = (parts: Results['parts']) => Object.values(parts).flatMap(({ figures }) => figures.map(rowOf));

function rowOf(figure: Figure): string[] {
  const { name, value, unit, good, atLeast, reachFor } = figure;
  const bound = (number: number | undefined) =>
    number === undefined ? '' : `${good === 'below' && number !== 0 ? '≤ ' : ''}${amount(number, unit)}`;
  return [name, amount(value, unit, 3), bound(atLeast), bound(reachFor), verdictOn(figure)];
}

function amount(number: number, unit: Figure['unit'], digits?: number): string {
  const isCount = unit === 'keys' || unit === 'answers' || unit === 'places';
  const text = isCount || digits === undefined ? String(number) : number.toFixed(unit === 'MB' ? 0 : 2);
  return unit === 's' || unit === 'MB' ? `${text} ${unit}` : text;
}
