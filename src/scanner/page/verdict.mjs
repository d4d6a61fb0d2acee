/* What a device decides without a network, by what it downloaded and what it has seen itself. */
import { verifyAsync } from '/gate/ed25519.mjs';
import * as store from './store.mjs';

const bytesOf = (text) => {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
};
const jsonOf = (text) => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytesOf(text)));

/** @returns what a token says, undefined unless a key of the server signed it (JWS with Ed25519, RFC 8037) */
export async function claimsOf(token, keys) {
  try {
    const [header, payload, signature, ...rest] = token.split('.');
    if (rest.length > 0) return undefined;
    const { alg, kid } = jsonOf(header);
    const key = keys.find((each) => each.kid === kid && each.kty === 'OKP' && each.crv === 'Ed25519');
    if (alg !== 'EdDSA' || key === undefined) return undefined;
    const message = new TextEncoder().encode(`${header}.${payload}`);
    if (!(await verifyAsync(bytesOf(signature), message, bytesOf(key.x)))) return undefined;
    const { t, e, y, g } = jsonOf(payload);
    return [t, e, y, g].every(Number.isSafeInteger) ? { ticketId: t, eventId: e, generation: g } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param gate the event and the keys that were downloaded
 * @returns the answer that the server would give, as far as it is known here
 */
export async function decide(token, kind, gate) {
  const claims = await claimsOf(token, gate.keys);
  if (claims === undefined) return { result: 'not_valid' };
  if (claims.eventId !== gate.event.id) return { result: 'wrong_event' };
  const { ticketId, generation } = claims;
  const [isVoid, reissued, attendee, inside] = await Promise.all([
    store.get('void', ticketId),
    store.get('reissued', ticketId),
    store.get('attendees', ticketId),
    store.get('inside', ticketId),
  ]);
  const ticket = {
    id: ticketId,
    ticket_type: attendee?.ticket_type ?? '',
    attendee: attendee ? { name: attendee.name } : null,
  };
  // A code that is newer than what was downloaded is signed, too.
  if (gate.event.status === 'cancelled' || isVoid || generation < (reissued?.generation ?? 0)) {
    return { result: 'void', ticket };
  }
  if (kind === 'exit') return { result: 'left', ticket };
  if (inside) return { result: 'already_in', ticket, earlier: { scanned_at: inside.at, device: null } };
  return { result: 'admitted', ticket };
}

/** Remembers whom this device knows to be inside. */
export async function remember({ result, ticket, earlier }, at) {
  if (!ticket) return;
  if (result === 'already_in')
    await store.put('inside', { ticket_id: ticket.id, at: earlier?.scanned_at ?? at });
  if (result === 'admitted') await store.put('inside', { ticket_id: ticket.id, at });
  if (result === 'left') await store.change({ inside: { delete: [ticket.id] } });
}
