import type { Client } from './client';

let sequence = 0;

export type Factories = ReturnType<typeof factoriesFor>;

/** Creates resources through the API, with valid defaults for all that a test does not care about. */
export function factoriesFor(client: Client) {
  async function created(path: string, body: object) {
    const answer = await client.post(path, body);
    if (answer.status !== 201)
      throw new Error(`${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }
  return {
    /** Without the tokens that come with a sign-up. */
    user: async (fields: object = {}) =>
      withoutTokens(await created('/users/', { ...userBody(), ...fields })),
    event: (fields: object = {}) => created('/events/', { ...eventBody(), ...fields }),
    ticketType: (event: { id: number }, fields: object = {}) =>
      created(`/events/${event.id}/ticket-types`, { ...ticketTypeBody(), ...fields }),
    quota: (event: { id: number }, fields: object = {}) =>
      created(`/events/${event.id}/quotas`, { ...quotaBody(), ...fields }),
    code: (event: { id: number }, fields: object = {}) =>
      created(`/events/${event.id}/codes`, { ...codeBody(), ...fields }),
    ticket: (fields: { user_id: number; event_id: number; ticket_type_id?: number }) =>
      created('/tickets/', fields),
  };
}

const TOKENS = ['user_id', 'access_token', 'token_type', 'expires_in', 'refresh_token'];

export const withoutTokens = (answer: Record<string, any>) =>
  Object.fromEntries(Object.entries(answer).filter(([name]) => !TOKENS.includes(name))) as any;

export const userBody = () => ({
  name: 'Ada Lovelace',
  email: `ada.${process.pid}.${++sequence}@example.com`,
});

export const eventBody = () => ({
  title: 'Night of the Analytical Engine',
  start_time: '2099-06-01T19:00:00Z',
  end_time: '2099-06-01T22:00:00Z',
  total_tickets: 10,
  venue: {},
});

export const ticketTypeBody = () => ({ name: 'Balcony', price: 0 });

export const quotaBody = () => ({ name: 'Seats', capacity: 10 });

export const codeBody = () => ({ code: `CODE${++sequence}` });
