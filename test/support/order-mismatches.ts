/** What must never be of orders, each by a query for the rows where it is. */
const ORDER_MISMATCHES = {
  'more tickets than a user may have': `
    SELECT event_id, user_id, sum(places) AS places, max_tickets_per_user
    FROM orders JOIN events ON events.id = event_id
    WHERE orders.status = 'paid' OR orders.status = 'held' AND expires_at > now()
    GROUP BY event_id, user_id, max_tickets_per_user HAVING sum(places) > max_tickets_per_user`,
  'more uses of a code than it allows': `
    SELECT codes.id, count(*) AS uses, max_uses FROM orders JOIN codes ON codes.id = code_id
    WHERE orders.status IN ('held', 'paid')
    GROUP BY codes.id HAVING count(*) > max_uses`,
  'orders whose tickets do not add up': `
    SELECT orders.id, places, count(tickets.id) AS tickets, total, sum(price) AS prices
    FROM orders LEFT JOIN tickets ON order_id = orders.id
    GROUP BY orders.id HAVING count(tickets.id) <> places OR sum(price) <> total`,
  'orders paid in part': `
    SELECT id, status, total, amount_paid FROM orders
    WHERE (status = 'paid' AND amount_paid <> total OR status IN ('held', 'expired') AND amount_paid > 0)
      -- What a provider takes twice, late or wrong is given back, and its books tell.
      AND NOT EXISTS (SELECT FROM payments WHERE order_id = orders.id AND provider = 'sandbox')`,
};

/** What the database shows to be wrong with its orders, in words; empty when all is well. */
export async function orderViolationsIn(sql: (text: string) => Promise<unknown[]>): Promise<string[]> {
  const wrongs: string[] = [];
  for (const [wrong, query] of Object.entries(ORDER_MISMATCHES)) {
    const rows = await sql(query);
    if (rows.length > 0) wrongs.push(`${wrong}: ${JSON.stringify(rows)}`);
  }
  return wrongs;
}
