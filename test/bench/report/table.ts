import { verdictOn, type Figure } from '../figure';
import type { Results } from './results';

const HEAD = ['what', 'measured', 'absolute', 'wanted', 'reach for', ''];
const NUMERIC = [false, true, true, true, true, false];

/** The figures of all parts for a terminal. */
export const figuresTable = (parts: Results['parts']): string =>
  aligned([HEAD, ...rowsOf(parts)])
    .map((row) => row.join('  ').trimEnd())
    .join('\n');

/** The same in Markdown, in the style that the project's formatter asks for. */
export function figuresMarkdown(parts: Results['parts']): string {
  const [head = [], ...rows] = aligned([HEAD, ...rowsOf(parts)]);
  const rule = head.map((cell, column) => '-'.repeat(cell.length - 1) + (NUMERIC[column] ? ':' : '-'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Pads the cells, so that columns are as wide as their widest cell. */
function aligned(rows: string[][]): string[][] {
  const widths = HEAD.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row.map((cell, column) =>
      NUMERIC[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
    ),
  );
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
  const { name, value, unit, quotient, good, atLeast, reachFor } = figure;
  const sign = good === 'above' ? '≥' : '≤';
  const bound = (number: number | undefined) => {
    if (number === undefined) return '';
    return number === 0 ? amount(0, unit) : `${sign} ${amount(number, unit)}`;
  };
  return [
    name,
    amount(value, unit, 2),
    quotient
      ? `${absolute(quotient.dividend, quotient.unit)} ÷ ${absolute(quotient.divisor, quotient.unit)}`
      : '',
    bound(atLeast),
    bound(reachFor),
    verdictOn(figure),
  ];
}

function amount(number: number, unit: Figure['unit'], digits?: number): string {
  if (unit === 'events/s') return `${Math.round(number).toLocaleString('en')}/s`;
  const isCount = unit !== undefined && !['s', 'MB'].includes(unit);
  const text = isCount || digits === undefined ? String(number) : number.toFixed(unit === 'MB' ? 0 : digits);
  return unit === 's' || unit === 'MB' ? `${text} ${unit}` : text;
}

const absolute = (number: number, unit: '/s' | 'ms') =>
  unit === '/s' ? `${Math.round(number).toLocaleString('en')}/s` : `${number.toFixed(1)} ms`;
