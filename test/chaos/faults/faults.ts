import type { Fault } from './fault';
import { KILLS } from './kill';

/** All there are, in the order of the table in OPERATIONS.md. */
export const FAULTS: readonly Fault[] = [...KILLS];
