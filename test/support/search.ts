import type { TestApi } from './api';

export interface Found {
  id: number;
  title: string;
  distance_km?: number;
}

export const LONDON = { latitude: 51.5072, longitude: -0.1276 };
export const nearLondon = `near=${LONDON.latitude},${LONDON.longitude}`;

/** Parameters of a query; those that are undefined are left out. */
export type Parameters = Record<string, string | number | undefined>;

export const toQuery = (parameters: Parameters) => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined) query.set(name, String(value));
  return query.toString();
};

export const idsOf = (rows: { id: number }[]) => rows.map(({ id }) => id);
export const ascending = (numbers: number[]) => [...numbers].sort((a, b) => a - b);

/** How a spec searches, by the API it has at that time. */
export function searchBy(currentApi: () => TestApi) {
  const ask = (query: Parameters | string) =>
    currentApi().client.get<Found[]>(`/events/?${typeof query === 'string' ? query : toQuery(query)}`);
  return {
    /** Answers as the API does. */
    ask,
    /** The ids of what is found, in its order. */
    find: async (query: Parameters | string): Promise<number[]> => {
      const { status, body } = await ask(query);
      expect(status).toBe(200);
      return idsOf(body);
    },
    /** The ids on each page of a list. */
    pagesOf: async (path: string) => (await currentApi().client.pages<Found>(path)).map(idsOf),
    /** Creates an event; answers its id. */
    event: async (fields: object): Promise<number> => (await currentApi().create.event(fields)).id,
  };
}
