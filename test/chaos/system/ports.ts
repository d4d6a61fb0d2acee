import { randomInt } from 'node:crypto';
import { accepts } from '../../support/redis';

/**
 * A free port below the range of outgoing connections: a killed process has to come back on it, and a client's
 * connection must not have taken it by then.
 */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 32_000);
    if (!(await accepts(port))) return port;
  }
}
