import type Stripe from 'stripe' with { 'resolution-mode': 'import' };

/** The most that Stripe sends at once. */
export const PAGE = 100;

/**
 * The oldest payments since a time, or those that come after a payment; oldest first. Stripe lists the newest first.
 *
 * @param since seconds since 1970
 */
export async function oldestPage(
  stripe: Stripe,
  since: number,
  after?: string,
): Promise<{ data: Stripe.PaymentIntent[]; hasMore: boolean }> {
  const list = (params: Stripe.PaymentIntentListParams) =>
    stripe.paymentIntents.list({ ...params, limit: PAGE, expand: ['data.latest_charge'] });
  const answer = (
    { data, has_more }: { data: Stripe.PaymentIntent[]; has_more: boolean },
    isLast = false,
  ) => ({
    data: data.reverse(),
    hasMore: has_more || !isLast,
  });
  // Stripe sends those next to it.
  if (after !== undefined) return answer(await list({ ending_before: after }), true);
  let from = since;
  let page = await list({ created: { gte: from } });
  if (!page.has_more) return answer(page, true);
  while (page.has_more) {
    const oldest = page.data.at(-1) as Stripe.PaymentIntent;
    if (oldest.created <= from) {
      // So many in one second: backwards through them.
      page = await list({ created: { gte: from, lte: from }, starting_after: oldest.id });
      continue;
    }
    const middle = Math.floor((from + oldest.created) / 2);
    const half = await list({ created: { gte: from, lte: middle } });
    if (half.data.length > 0) page = half;
    else {
      from = middle + 1;
      page = await list({ created: { gte: from, lte: oldest.created } });
    }
  }
  return answer(page);
}
