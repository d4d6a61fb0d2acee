import type { Call } from './history';
import type { HttpAnswer, HttpRequest } from './http';

/** What a customer sets out to do: with single tickets, or with orders. */
export type Intent = Pick<Call, 'action' | 'user' | 'event' | 'ticket' | 'items' | 'discount' | 'order'>;

/** The request that says so. */
export function requestOf(
  { action, user, event, ticket, items, discount, order }: Intent,
  token: string,
  key?: string,
): HttpRequest {
  const post = (path: string, body?: object): HttpRequest => ({ method: 'POST', path, token, key, body });
  switch (action) {
    case 'reserve':
      if (!items) return post('/tickets/', { event_id: event });
      return post('/orders', { event_id: event, items, ...(discount && { code: discount }) });
    case 'list':
      return { method: 'GET', path: `/users/${user}/tickets`, token };
    case 'get':
      return { method: 'GET', path: order ? `/orders/${order.code}` : `/tickets/${ticket}`, token };
    case 'pay':
      if (!order) return post(`/tickets/${ticket}/pay`);
      return post(`/orders/${order.code}/payments`, order.total > 0 ? { offline: true } : {});
    case 'cancel':
      return post(order ? `/orders/${order.code}/cancel` : `/tickets/${ticket}/cancel`);
  }
}

/** What a successful answer tells of the ticket, or of the order. */
export function madeOf({ action, items, order, ticket }: Intent, body: HttpAnswer['body']): Partial<Call> {
  if (action === 'list') return {};
  if (action === 'pay' && order) return { told: body.status === 'succeeded' ? 'paid' : body.status };
  const hold = action === 'reserve' ? { hold: holdOf(body) } : {};
  if (!items && !order) return { ticket: body.id, told: body.status, ...hold };
  const tickets = body.tickets as { id: number }[];
  const made = { code: body.code ?? '', total: Number(body.total) };
  return {
    ticket: tickets[0]?.id ?? ticket,
    order: made,
    places: tickets.length,
    told: body.status,
    ...hold,
  };
}

const holdOf = (body: HttpAnswer['body']) => ({
  lastsMs: Date.parse(String(body.expires_at)) - Date.parse(String(body.created_at)),
  leftMs: Number(body.expires_in_ms),
});
