/** One line of the table: what was found, beside what is asked for. */
export interface Figure {
  name: string;
  value: number;
  /** Of the value and both bounds; left out for a ratio. */
  unit?: 's' | 'MB' | 'keys' | 'answers' | 'places';
  /** Which side of the bounds is the good one. */
  good: 'above' | 'below';
  atLeast: number;
  reachFor?: number;
}

export type Verdict = 'reached' | 'ok' | 'short';

export function verdictOn({ value, good, atLeast, reachFor = atLeast }: Figure): Verdict {
  const meets = (bound: number) => (good === 'above' ? value >= bound : value <= bound);
  if (meets(reachFor)) return 'reached';
  return meets(atLeast) ? 'ok' : 'short';
}
