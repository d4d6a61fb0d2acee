import type { Stage } from '../stage';
import type { Finding } from './finding';

/** Something that goes wrong while customers are served. */
export interface Fault {
  name: string;
  family: Family;
  about: string;
  /** Only when asked for by its name. */
  onRequest?: boolean;
  /** Why it can't be tried here; undefined where it can. */
  obstacle?: () => string | undefined;
  /** Strikes, heals, and tells what was found. Afterwards the seats are counted in any case. */
  strike(stage: Stage): Promise<Finding[]>;
}

export type Family =
  | 'kill'
  | 'redis'
  | 'clock'
  | 'jobs'
  | 'locks'
  | 'network'
  | 'crowd'
  | 'disk'
  | 'failover'
  | 'rollout'
  | 'money'
  | 'soak';
