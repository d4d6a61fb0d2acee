import { CANCELLATIONS } from './cancellation';
import { CLOCK_FAULTS } from './clock';
import { CROWD_FAULTS } from './crowd';
import { DISK_FAULTS } from './disk';
import { FAILOVER_FAULTS } from './failover';
import type { Fault } from './fault';
import { JOB_FAULTS } from './jobs';
import { KILLS } from './kill';
import { LOCK_FAULTS } from './locks';
import { massRefund } from './mass-refund';
import { MONEY_FAULTS } from './money';
import { NETWORK_FAULTS } from './network';
import { REDIS_FAULTS } from './redis';
import { ROLLOUT_FAULTS } from './rollout';
import { SNAPSHOT_FAULTS } from './snapshot';
import { SOAKS } from './soak';
import { STOP_FAULTS } from './stop';

/** All there are. */
export const FAULTS: readonly Fault[] = [
  ...KILLS,
  ...CANCELLATIONS,
  ...REDIS_FAULTS,
  ...CLOCK_FAULTS,
  ...JOB_FAULTS,
  ...LOCK_FAULTS,
  ...STOP_FAULTS,
  ...SNAPSHOT_FAULTS,
  ...NETWORK_FAULTS,
  ...CROWD_FAULTS,
  ...DISK_FAULTS,
  ...FAILOVER_FAULTS,
  ...ROLLOUT_FAULTS,
  ...MONEY_FAULTS,
  massRefund,
  ...SOAKS,
];
