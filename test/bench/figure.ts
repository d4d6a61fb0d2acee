/** One line of the table: what was found, beside what is asked for. */
export interface Figure {
  name: string;
  value: number;
  /** Of the value and both bounds; left out for a ratio. */
  unit?: 's' | 'MB' | 'keys' | 'answers' | 'places' | 'networks' | 'events/s' | 'charges';
  /** Of a ratio: the amounts it was made of. */
  quotient?: Quotient;
  /** Which side of the bounds is the good one. */
  good: 'above' | 'below';
  atLeast: number;
  reachFor?: number;
}

/** Requests a second, or milliseconds. */
interface Quotient {
  dividend: number;
  divisor: number;
  unit: '/s' | 'ms';
}

/** A ratio of two amounts, and the amounts. */
export const ratio = (dividend: number, divisor: number, unit: Quotient['unit']) => ({
  value: dividend / divisor,
  quotient: { dividend, divisor, unit },
});

export type Verdict = 'reached' | 'ok' | 'short';

export function verdictOn({ value, good, atLeast, reachFor = atLeast }: Figure): Verdict {
  const meets = (bound: number) => (good === 'above' ? value >= bound : value <= bound);
  if (meets(reachFor)) return 'reached';
  return meets(atLeast) ? 'ok' : 'short';
}
