import { CLOCK_FAULTS } from './clock';
import { CROWD_FAULTS } from './crowd';
import { DISK_FAULTS } from './disk';
import { FAILOVER_FAULTS } from './failover';
import type { Fault } from './fault';
import { JOB_FAULTS } from './jobs';
import { KILLS } from './kill';
import { LOCK_FAULTS } from './locks';
import { MONEY_FAULTS } from './money';
import { NETWORK_FAULTS } from './network';
import { REDIS_FAULTS } from './redis';
import { ROLLOUT_FAULTS } from './rollout';
import { SOAKS } from './soak';

/** All there are. */
export const FAULTS: readonly Fault[] = [
  ...KILLS,
  ...REDIS_FAULTS,
  ...CLOCK_FAULTS,
  ...JOB_FAULTS,
  ...LOCK_FAULTS,
  ...NETWORK_FAULTS,
  ...CROWD_FAULTS,
  ...DISK_FAULTS,
  ...FAILOVER_FAULTS,
  ...ROLLOUT_FAULTS,
  ...MONEY_FAULTS,
  ...SOAKS,
];
