import type { Bench } from './bench';
import type { Figure } from './figure';
import type { Summary } from './measure';
import type { WindowName } from './windows';

export interface PartReport {
  figures: Figure[];
  /** What the figures were made of, by a name for the pictures and for people. */
  measurements: Record<string, Summary>;
  /** What a reader should know beside. */
  notes?: string[];
}

export interface Part {
  name: string;
  about: string;
  /** Takes long: only when asked for by its name. */
  onRequest?: boolean;
  /** Throughput that it wants measured, in turn with what the other parts want. */
  windows?: readonly WindowName[];
  run(bench: Bench, window: (name: WindowName) => Summary): Promise<PartReport> | PartReport;
}
