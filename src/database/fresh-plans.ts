import type { PoolClient } from 'pg';

/** In a rush, a table has its first hundreds of rows after so many statements. */
const FIRST = 8;
const LONGEST_MS = 60_000;

interface Plans {
  /** Statements of the session in this minute. */
  runs: number;
  renewAt: number;
  until: number;
}

const plansOf = new WeakMap<PoolClient, Plans>();

/**
 * Has PostgreSQL plan anew what the session planned: each minute, and in a rush each time its statements have doubled in
 * number. A session keeps its plans until statistics are gathered, a minute later at best, and those it made while its
 * tables were all but empty may read a table from end to end once that is large. A rush has twice the statements of the
 * minute before. Called before each statement.
 */
export async function renewPlans(client: PoolClient): Promise<void> {
  const now = performance.now();
  const plans = plansOf.get(client);
  if (plans && now < plans.until) {
    if (++plans.runs < plans.renewAt) return;
    plans.renewAt *= 2;
  } else {
    const renewAt = Math.max(FIRST, 2 * (plans?.runs ?? 0));
    plansOf.set(client, { runs: 0, renewAt, until: now + LONGEST_MS });
    if (!plans) return;
  }
  await client.query('DISCARD PLANS');
}
