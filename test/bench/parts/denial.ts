import { Settings } from '../../../src/config/settings';
import type { Bench } from '../bench';
import { openEvents } from '../fill/seats';
import { userToken } from '../load/tokens';
import type { Part } from '../part';

const PLACES = 10_000;
const WAVE = 50;
const AN_HOUR = 3_600;

const { HOLD_SECONDS, HOLD_COOL_DOWN_SECONDS, MAX_HOLDS_PER_USER_EVENT, MAX_HOLDS_PER_NETWORK_EVENT } =
  new Settings();

/** An account may let three times as many holds end unpaid within the cool-down as it may have live. */
const LIVE_PER_ACCOUNT = Math.min(
  MAX_HOLDS_PER_USER_EVENT,
  (3 * MAX_HOLDS_PER_USER_EVENT * HOLD_SECONDS) / HOLD_COOL_DOWN_SECONDS,
);

/** What somebody needs who holds all places of an event and pays for none. */
export const denial: Part = {
  name: 'denial',
  about: 'networks, accounts and requests that it takes to deny an event of 10,000 places for an hour',
  onRequest: true,
  run: async (bench) => {
    const places = bench.sized(PLACES);
    const before = await holdAll(bench, places, 0);
    const after = await holdAll(bench, places, MAX_HOLDS_PER_NETWORK_EVENT);
    const anHour = `for an hour ${Math.ceil(places / LIVE_PER_ACCOUNT)} accounts and ${(places * AN_HOUR) / HOLD_SECONDS} holds`;
    return {
      figures: [
        {
          name: `networks that hold all ${places} places of an event, with the limit per network`,
          value: after.networks,
          unit: 'networks',
          good: 'above',
          atLeast: Math.ceil(places / MAX_HOLDS_PER_NETWORK_EVENT),
        },
      ],
      measurements: {},
      notes: [
        `without the limit per network: ${before.networks} network, ${before.requests} requests at once; ${anHour}`,
        `with ${MAX_HOLDS_PER_NETWORK_EVENT}: ${after.networks} networks, ${after.requests} requests at once; ${anHour}`,
      ],
    };
  },
};

/** Takes one network after the other until no place is left. */
async function holdAll(bench: Bench, places: number, limit: number) {
  const { database, users } = await bench.copyTemplate();
  const api = await bench.startApi(database, { MAX_HOLDS_PER_NETWORK_EVENT: String(limit) });
  const { first: event } = await openEvents(database, 1, places);
  const reserve = async (user: number, network: number): Promise<string> => {
    const response = await fetch(`${api.url}/tickets/`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Authorization: `Bearer ${userToken(user)}`,
        'X-Forwarded-For': `198.51.100.${network}`,
      },
      body: JSON.stringify({ event_id: event }),
    });
    return ((await response.json()) as { code?: string }).code ?? 'held';
  };
  let [requests, networks] = [0, 1];
  for (;;) {
    const outcomes = await Promise.all(
      Array.from({ length: WAVE }, () =>
        reserve(users.first + Math.floor(requests++ / MAX_HOLDS_PER_USER_EVENT), networks),
      ),
    );
    if (outcomes.includes('event_sold_out')) break;
    if (outcomes.includes('network_hold_limit_reached')) networks++;
  }
  await api.stop();
  return { requests, networks };
}
