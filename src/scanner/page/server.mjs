/* What the device and the server tell each other. */
import * as store from './store.mjs';

/** At a gate nobody waits longer; the device then decides by itself. */
const ANSWER_WITHIN_MS = 2_500;
/** Lists take their time over a bad line. */
const LIST_WITHIN_MS = 20_000;
const MOST_IN_A_BATCH = 500;

/** The server no longer knows this device. */
export class Revoked extends Error {}
/** There is no server to be had, or it can not answer now. */
export class Unreachable extends Error {}

/** @returns the device of a token, which says the event; undefined for what is none */
export function deviceOf(token) {
  const [, eventId] = /^gate_([1-9]\d{0,15})_[\w-]{16,}$/.exec(token.trim()) ?? [];
  return eventId === undefined ? undefined : { token: token.trim(), eventId: Number(eventId) };
}

async function send(device, path, body, within) {
  let answer;
  try {
    answer = await fetch(path, {
      method: body ? 'POST' : 'GET',
      headers: {
        Authorization: `Bearer ${device.token}`,
        ...(body && { 'Content-Type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
      credentials: 'omit',
      signal: AbortSignal.timeout(within),
    });
    if (answer.ok) return { content: await answer.json(), link: answer.headers.get('Link') };
  } catch (error) {
    throw new Unreachable(error.message);
  }
  if (answer.status === 401) throw new Revoked();
  if (answer.status === 429 || answer.status >= 500) throw new Unreachable(`status ${answer.status}`);
  throw new Error(`The server answered ${answer.status}`);
}

/** Asks the server to let a ticket in or out. */
export async function checkIn(device, scan) {
  const path = `/events/${device.eventId}/check-ins`;
  return (await send(device, path, scan, ANSWER_WITHIN_MS)).content;
}

/**
 * Sends the scans that wait, oldest first. Each goes when the server has it; one that was sent twice counts once.
 *
 * @returns how many of them contradict another gate
 */
export async function sendPending(device) {
  let conflicts = 0;
  for (;;) {
    // By their nonces, which begin with the time.
    const scans = await store.first('pending', MOST_IN_A_BATCH);
    if (scans.length === 0) return conflicts;
    const { content } = await send(
      device,
      `/events/${device.eventId}/check-ins/batch`,
      { check_ins: scans },
      LIST_WITHIN_MS,
    );
    conflicts += content.check_ins.filter(({ result }) => result === 'conflict').length;
    await store.change({ pending: { delete: scans.map(({ nonce }) => nonce) } });
  }
}

/**
 * Downloads what changed since the last time, with the attendees if asked for.
 *
 * @returns the event and the keys
 */
export async function download(device, withAttendees) {
  const before = await store.get('settings', 'gate');
  const query = new URLSearchParams({ limit: '2000' });
  if (before?.cursor) query.set('cursor', before.cursor);
  if (withAttendees) query.set('attendees', 'true');
  for (let path = `/events/${device.eventId}/gate?${query}`; ;) {
    const { content, link } = await send(device, path, undefined, LIST_WITHIN_MS);
    const { event, keys, cursor, reissued, attendees = [] } = content;
    const gate = { event, keys, cursor };
    await store.change({
      settings: { put: [['gate', gate]] },
      void: {
        delete: reissued.map(({ ticket_id }) => ticket_id),
        put: content.void.map((ticket_id) => ({ ticket_id })),
      },
      reissued: { put: reissued },
      attendees: { put: attendees },
    });
    const [, next] = /^<(\/[^>]+)>; rel="next"$/.exec(link ?? '') ?? [];
    if (next === undefined) return gate;
    path = next;
  }
}
