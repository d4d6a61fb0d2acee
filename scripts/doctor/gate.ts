import type { DataSource } from 'typeorm';
import type { SeatsOptions } from './count-places';
import { STATEMENT_MS } from './ranges';
import type { Finding } from './report';
import { RowFaults } from './row-faults';

/** Check-ins have no foreign keys, which would be checked for each scan. */
const OF_CHECK_INS = `
  WITH asked AS MATERIALIZED (
    SELECT id, event_id, device_id, ticket_id, passage, earlier_id FROM check_ins WHERE id BETWEEN $1 AND $2
  ), fault AS (
    SELECT 'check-in|without an event' AS what, id FROM asked
    WHERE NOT EXISTS (SELECT FROM events WHERE events.id = event_id)
    UNION ALL
    SELECT 'check-in|by a device that its event does not have', id FROM asked
    WHERE device_id IS NOT NULL
      AND NOT EXISTS (SELECT FROM devices WHERE devices.id = device_id AND devices.event_id = asked.event_id)
    UNION ALL
    SELECT 'check-in|of a ticket that its event does not have', id FROM asked
    WHERE ticket_id IS NOT NULL AND NOT EXISTS (
      SELECT FROM tickets JOIN orders ON orders.id = order_id WHERE tickets.id = ticket_id AND orders.event_id = asked.event_id
    )
    UNION ALL
    SELECT 'check-in|without the one that it names', id FROM asked
    WHERE earlier_id IS NOT NULL AND NOT EXISTS (SELECT FROM check_ins WHERE check_ins.id = asked.earlier_id)
    UNION ALL
    SELECT 'check-in|that goes in or out once more', id FROM asked
    WHERE EXISTS (
      SELECT FROM check_ins AS other
      WHERE other.ticket_id = asked.ticket_id AND other.passage = asked.passage AND other.id < asked.id
    )
    UNION ALL
    SELECT 'check-in|without the way in or out before it', id FROM asked
    WHERE passage > 0 AND NOT EXISTS (
      SELECT FROM check_ins AS other WHERE other.ticket_id = asked.ticket_id AND other.passage = asked.passage - 1
    )
  )
  SELECT what, count(*) AS number, min(id) AS first FROM fault GROUP BY what`;

/** What the trigger `tickets_gate_change` has missed: a device without a network would let such a ticket in. */
const OF_TICKETS = `
  SELECT 'ticket|whose change no device hears of' AS what, count(*) AS number, min(tickets.id) AS first
  FROM tickets JOIN orders ON orders.id = order_id
  WHERE tickets.id BETWEEN $1 AND $2 AND (fate IS NOT NULL OR generation > 0)
    AND NOT EXISTS (SELECT FROM gate_changes WHERE ticket_id = tickets.id AND gate_changes.event_id = orders.event_id)
  HAVING count(*) > 0`;

const CHECKS = { check_ins: OF_CHECK_INS, tickets: OF_TICKETS };

/** Whether check-ins contradict each other, or what they name is gone, and whether devices hear of all changes. */
export async function checkGate(database: DataSource, options: SeatsOptions): Promise<Finding> {
  const faults = new RowFaults();
  // One snapshot sees one instant, so that what is under way never looks like a fault.
  await database.transaction('REPEATABLE READ', async (manager) => {
    await manager.query(`SET LOCAL statement_timeout = ${options.statementMs ?? STATEMENT_MS}`);
    for (const [table, text] of Object.entries(CHECKS))
      await faults.findThrough(manager, table, text, options);
  });
  const { details } = faults;
  if (details.length === 0) return { status: 'ok', message: 'Each ticket went in and out in turn' };
  return {
    status: 'wrong',
    message: 'What the gate has kept contradicts itself',
    details,
    advice:
      'Rows were changed by hand, or a restore left some out: put them back from a backup. Of a change that no device hears ' +
      'of they hear after UPDATE tickets SET generation = generation + 1; the ticket then has a new code.',
  };
}
