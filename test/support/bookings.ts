import { startTestApi, type TestApi } from './api';
import type { Answer } from './client';
import { expectProblem } from './problems';
import { INVENTORY_MISMATCHES } from './seats';

/** An id that no row has. */
export const UNKNOWN = 999_999;
export const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** A reserved ticket as it reads once it is no longer: without the time left. */
export const resolved = (ticket: object, status: string) => ({
  ...ticket,
  status,
  expires_in_ms: undefined,
  ...(status === 'paid' && { token: expect.any(String) }),
});

const REFUSALS = {
  user_not_found: [404, 'User not found'],
  event_not_found: [404, 'Event not found'],
  event_not_published: [409, 'Event is a draft or cancelled'],
  event_ended: [409, 'Event has ended'],
  event_sold_out: [409, 'Event is sold out'],
  hold_limit_reached: [409, undefined],
  ticket_not_found: [404, 'Ticket not found'],
  ticket_not_payable: [409, 'Ticket already paid or expired'],
  ticket_not_cancellable: [409, undefined],
} as const;

export function expectRefusal(answer: Answer, code: keyof typeof REFUSALS): void {
  const [status, detail] = REFUSALS[code];
  expectProblem(answer, status, code, { detail });
}

/**
 * What a spec does with tickets, by the API and for the user it has at that time.
 * Each takes another API as its last argument.
 */
export const bookingsBy = (currentApi: () => TestApi, currentUser: () => { id: number }) => ({
  reserve: (user_id: unknown, event_id: unknown, by = currentApi()) =>
    by.client.post('/tickets/', { user_id, event_id }),
  pay: (ticket: { id: number }, by = currentApi()) => by.client.post(`/tickets/${ticket.id}/pay`),
  cancel: (ticket: { id: number }, by = currentApi()) => by.client.post(`/tickets/${ticket.id}/cancel`),
  show: async ({ id }: { id: number }, by = currentApi()) => (await by.client.get(`/tickets/${id}`)).body,
  seats: async ({ id }: { id: number }, by = currentApi()) => {
    const [row] = await by.sql(
      `SELECT capacity, held, sold FROM quotas WHERE event_id = $1 AND kind = 'event'`,
      [id],
    );
    return row;
  },
  hold: (event: { id: number }, by = currentApi()) =>
    by.create.ticket({ user_id: currentUser().id, event_id: event.id }),

  /** Moves a hold back in time, so that it falls due this very instant. */
  fallDue: async ({ id }: { id: number }, by = currentApi()): Promise<void> => {
    await by.sql(
      `UPDATE orders SET created_at = created_at - (expires_at - now()), expires_at = now()
      WHERE id = (SELECT order_id FROM ticket_states WHERE id = $1)`,
      [id],
    );
  },
});

/**
 * What a suite about bookings begins with: an API, a user and how they book. After each test the seats are counted.
 *
 * @param environment of the API
 */
export function bookingSuite(environment: Record<string, string> = {}) {
  let api: TestApi;
  let user: { id: number };

  beforeAll(async () => {
    api = await startTestApi(environment);
    user = await api.create.user();
  });
  afterEach(async () => expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]));
  afterAll(() => api.stop());

  const bookings = bookingsBy(
    () => api,
    () => user,
  );
  return {
    ...bookings,
    get api() {
      return api;
    },
    get user() {
      return user;
    },
  };
}
