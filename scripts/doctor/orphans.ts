import type { DataSource } from 'typeorm';
import { plural, type Finding } from './report';
import { lookAtTickets, type LookOptions } from './ticket-ranges';

interface Orphan {
  id: number;
  user_id: number;
  event_id: number;
  /** What is not there: `user 7`, say. */
  lacks: string;
}

/** Kept in memory, and printed as JSON; there is no need to name a million. */
const MOST = 1_000;

const ORPHANS = `
  SELECT id, user_id, event_id, 'user ' || user_id AS lacks FROM tickets
  WHERE id BETWEEN $1 AND $2 AND NOT EXISTS (SELECT FROM users WHERE users.id = user_id)
  UNION ALL
  SELECT id, user_id, event_id, 'event ' || event_id FROM tickets
  WHERE id BETWEEN $1 AND $2 AND NOT EXISTS (SELECT FROM events WHERE events.id = event_id)`;

/** Tickets of users or events that are not there: no foreign key keeps a person at a console from deleting them. */
export async function checkOrphans(database: DataSource, options: LookOptions): Promise<Finding> {
  const details: (Orphan & { message: string })[] = [];
  let count = 0;
  await lookAtTickets<Orphan>(database, options, {
    text: ORPHANS,
    take: (rows) => {
      count += rows.length;
      for (const row of rows.slice(0, MOST - details.length))
        details.push({ ...row, message: `ticket ${row.id}: there is no ${row.lacks}` });
    },
  });
  if (count === 0) return { status: 'ok', message: 'Every ticket has its user and its event' };
  return {
    status: 'wrong',
    message: `${plural(count, 'ticket')} without user or event`,
    details,
    advice:
      'Bring the rows of users and events back from a backup, with their ids; or delete the tickets, then run the doctor with --fix.',
  };
}
