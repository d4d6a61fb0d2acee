import type { PoolClient } from 'pg';

/** In a rush, a table has its first hundreds of rows by then. */
const FIRST_MS = 250;
const MOST_MS = 60_000;

interface Age {
  since: number;
  renewAt: number;
}

const ages = new WeakMap<PoolClient, Age>();

/**
 * Has PostgreSQL plan anew what the session planned, when that is half as old as the session, and each minute. A session
 * keeps its plans until statistics are gathered, a minute later at best, and those it made while its tables were all but
 * empty may read a table from end to end once that is large. So no plan is made for a table of less than half its size,
 * in a sale that goes on evenly.
 */
export async function renewPlans(client: PoolClient): Promise<void> {
  const now = performance.now();
  const age = ages.get(client);
  if (!age) ages.set(client, { since: now, renewAt: now + FIRST_MS });
  else if (now >= age.renewAt) {
    age.renewAt = now + Math.min(now - age.since, MOST_MS);
    await client.query('DISCARD PLANS');
  }
}
