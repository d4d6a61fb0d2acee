import type { TestApi } from './api';
import type { Client } from './client';
import { eventBody, ticketTypeBody } from './factories';
import { tokenOf } from './tokens';

/** The parties of a sale. */
export interface Callers {
  organizer: Client;
  stranger: Client;
  buyer: { id: number };
}

export interface ListedType {
  id: number;
  name: string;
  available: number;
  state: string;
}

export async function createCallers({ client, create }: TestApi): Promise<Callers> {
  const [organizer, stranger] = [await create.user(), await create.user()];
  return {
    organizer: client.as(tokenOf(organizer.id)),
    stranger: client.as(tokenOf(stranger.id)),
    buyer: await create.user(),
  };
}

interface Named {
  id: number;
}

/** What a spec does with what events sell: as the organizer unless it says otherwise. */
export const salesBy = (api: () => TestApi, callers: () => Callers) => {
  const patch = (path: string, changes: object, by = callers().organizer) =>
    by.send('PATCH', path, {
      body: JSON.stringify(changes),
      headers: { 'Content-Type': 'application/json' },
    });
  return {
    newEvent: async (fields: object = {}, currency: string | null = null): Promise<Named> => {
      const { body } = await callers().organizer.post('/events/', { ...eventBody(), ...fields });
      await api().sql('UPDATE events SET currency = $2 WHERE id = $1', [body.id, currency]);
      return body;
    },
    /** As nobody can say it yet, or not again. */
    setStatus: (event: Named, status: string) =>
      api().sql('UPDATE events SET status = $2 WHERE id = $1', [event.id, status]),
    newType: async (event: Named, fields: object = {}) =>
      (await callers().organizer.post(`/events/${event.id}/ticket-types`, { ...ticketTypeBody(), ...fields }))
        .body,
    changeType: (type: Named, changes: object, by?: Client) => patch(`/ticket-types/${type.id}`, changes, by),
    removeType: (type: Named, by = callers().organizer) => by.send('DELETE', `/ticket-types/${type.id}`),
    typesOf: async (event: Named, by = callers().stranger) =>
      (await by.get<ListedType[]>(`/events/${event.id}/ticket-types`)).body,
    newQuota: async (event: Named, capacity: number, name = 'Balcony') =>
      (await callers().organizer.post(`/events/${event.id}/quotas`, { name, capacity })).body,
    changeQuota: (quota: Named, changes: object, by?: Client) => patch(`/quotas/${quota.id}`, changes, by),
    quotasOf: async (event: Named, by = callers().organizer) =>
      (await by.get(`/events/${event.id}/quotas`)).body,
    postCode: (event: Named, fields: object, by = callers().organizer, headers = {}) =>
      by.post(`/events/${event.id}/codes`, { code: 'SUMMER', ...fields }, headers),
    changeCode: (code: Named, changes: object, by?: Client) => patch(`/codes/${code.id}`, changes, by),
    removeCode: (code: Named, by = callers().organizer) => by.send('DELETE', `/codes/${code.id}`),
    codesOf: async (event: Named, by = callers().organizer): Promise<(Named & Record<string, unknown>)[]> =>
      (await by.get(`/events/${event.id}/codes`)).body,
    /** A ticket for the buyer, by an admin. */
    reserve: (event: Named, type?: Named) =>
      api().client.post('/tickets/', {
        user_id: callers().buyer.id,
        event_id: event.id,
        ticket_type_id: type?.id,
      }),
  };
};
