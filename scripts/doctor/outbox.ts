import type { DataSource } from 'typeorm';
import { plural, type Finding } from './report';

/** The relay looks at least once a second. */
const LATE_SECONDS = 60;

interface Backlog {
  dead: number;
  late: number;
  /** Why the latest dead letter failed. */
  reason: string | null;
}

/** Messages that the relay gave up on, or that no relay takes. */
export async function checkOutbox(database: DataSource): Promise<Finding> {
  const [{ dead, late, reason }] = await database.query<[Backlog]>(
    `SELECT
      (SELECT count(*)::int FROM outbox WHERE is_dead) AS dead,
      (SELECT count(*)::int FROM outbox WHERE NOT is_dead AND due_at < now() - make_interval(secs => $1)) AS late,
      (SELECT last_error FROM outbox WHERE is_dead ORDER BY id DESC LIMIT 1) AS reason`,
    [LATE_SECONDS],
  );
  if (dead > 0) {
    return {
      status: 'wrong',
      message: `${plural(dead, 'dead letter')} in the outbox (the latest: ${reason})`,
      advice: 'Mend the cause, then send them again as docs/OPERATIONS.md says under "Dead letters".',
    };
  }
  if (late > 0) {
    return {
      status: 'wrong',
      message: `${plural(late, 'message')} of the outbox due for over a minute: no relay takes them`,
      advice: 'Start a worker (node dist/src/main.js --worker), or the API where there is no REDIS_URL.',
    };
  }
  return { status: 'ok', message: 'Nothing waits in the outbox that should not' };
}
