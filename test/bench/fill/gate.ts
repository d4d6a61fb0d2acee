import { createHash, createPrivateKey, randomUUID, sign } from 'node:crypto';
import { decryptKey } from '../../../src/check-in/key-cipher';
import { newTicketKey } from '../../../src/check-in/new-ticket-key';
import { ADD_TICKET_KEY } from '../../../src/check-in/ticket-keys.statements';
import type { Settings } from '../../../src/config/settings';
import { TEST_SECRET } from '../../support/tokens';
import type { Database } from '../harness/database';
import type { Ids } from '../load/job';
import { addOrders, openSales } from './sales';

const MEAN_TICKETS = 4.5;

/** A gate with its devices, and a scan for each ticket. */
export interface OpenGate {
  eventId: number;
  /** The tokens of its devices. */
  devices: string[];
  /** Bodies of check-ins, each of another ticket. */
  scans: string[];
}

/** Opens the gate of a new event with so many devices, and sells about so many tickets. */
export async function openGate(
  database: Database,
  { users, devices, tickets }: { users: Ids; devices: number; tickets: number },
): Promise<OpenGate> {
  const sale = await openSales(database, { kind: 'one', count: 1 });
  const eventId = sale.events.first;
  const tokens = Array.from({ length: devices }, (_, i) => `gate_${eventId}_${String(i).padStart(32, '0')}`);
  for (const [i, token] of tokens.entries()) {
    await database.sql('INSERT INTO devices (event_id, name, token_hash) VALUES ($1, $2, $3)', [
      eventId,
      `Device ${i}`,
      createHash('sha256').update(token).digest(),
    ]);
  }
  const count = Math.ceil(tickets / MEAN_TICKETS);
  const { orders } = await addOrders(database, {
    sale,
    users,
    count,
    expiresAt: `now() + interval '1 day'`,
    status: 'paid',
  });
  await database.sql('ANALYZE orders, tickets, devices');
  const rows = await database.sql<{ id: number }>(
    'SELECT id::float8 AS id FROM tickets WHERE order_id >= $1 ORDER BY id',
    [orders.first],
  );
  const signed = await signer(database);
  const scans = rows.map(({ id }) =>
    JSON.stringify({
      token: signed({ t: id, e: eventId, y: sale.types.first, g: 0 }),
      nonce: randomUUID(),
      kind: 'entry',
    }),
  );
  return { eventId, devices: tokens, scans };
}

/** Signs as the API does, with the same key. */
async function signer(database: Database): Promise<(claims: object) => string> {
  const settings = { JWT_SECRET: [TEST_SECRET] } as Settings;
  await database.sql(ADD_TICKET_KEY.text, newTicketKey(settings));
  const [key] = await database.sql<{ kid: string; x: Buffer; encrypted: Buffer }>(
    'SELECT kid, public_key AS x, encrypted_private_key AS encrypted FROM ticket_keys WHERE retired_at IS NULL',
  );
  if (!key) throw new Error('No key for tickets is kept');
  const { kid, x, encrypted } = key;
  const d = decryptKey(encrypted, kid, TEST_SECRET);
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: x.toString('base64url'), d: d.toString('base64url') };
  const privateKey = createPrivateKey({ key: jwk, format: 'jwk' });
  const partOf = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return (claims) => {
    const input = `${partOf({ alg: 'EdDSA', kid })}.${partOf(claims)}`;
    return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`;
  };
}
