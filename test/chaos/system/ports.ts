import { randomInt } from 'node:crypto';
import { accepts } from '../../support/redis';

/**
 * A port that nobody listens on, below those that outgoing connections take: whoever is killed has to come back on it,
 * and by then some client's connection might have it.
 */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 32_000);
    if (!(await accepts(port))) return port;
  }
}
