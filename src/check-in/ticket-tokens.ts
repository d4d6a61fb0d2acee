import { timingSafeEqual } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { compactVerify, errors } from 'jose';
import { LRUCache } from 'lru-cache';
import type { TicketStatus } from '../inventory/ticket-status';
import { ALGORITHM, TicketKeys, type SigningKey } from './ticket-keys';

/** What the token of a ticket says: no word about a person. */
export interface TicketClaims {
  ticketId: number;
  eventId: number;
  ticketTypeId: number;
  /** How often the ticket was handed on: only the token of its latest generation is good. */
  generation: number;
}

/** A ticket as its token needs it. */
export interface TokenTicket {
  id: number;
  eventId: number;
  ticketTypeId: number;
  generation: number;
}

/** Those that many lists in a row show; each takes some 300 bytes. */
const REMEMBERED = 20_000;
/** A list may show thousands of tickets: other requests have their turns while its tokens are signed. */
const AT_ONCE = 32;

/**
 * Signs and verifies the tokens of tickets: JSON Web Signatures (RFC 7515) with Ed25519, which a ticket's QR code shows and
 * a gate can check without a network. Their claims are `t`, the ticket, `e`, its event, `y`, its type, and `g`, its
 * generation: each letter more would be one more in a small picture.
 */
@Injectable()
export class TicketTokens {
  /** Ed25519 signs the same ticket in the same way each time, at the price of a reservation's share of a list. */
  private readonly signed = new LRUCache<string, string>({ max: REMEMBERED });

  constructor(private readonly keys: TicketKeys) {}

  /** The token of a ticket, which is paid: others have none. */
  async tokenOf({ id, eventId, ticketTypeId, generation }: TokenTicket): Promise<string> {
    const key = await this.keys.toSign();
    const name = `${key.kid} ${id} ${generation}`;
    const known = this.signed.get(name);
    if (known !== undefined) return known;
    const claims = JSON.stringify({ t: id, e: eventId, y: ticketTypeId, g: generation });
    const token = sign(key, Buffer.from(claims).toString('base64url'));
    this.signed.set(name, token);
    return token;
  }

  /** The tokens of those of the tickets that are paid, by the tickets' ids. */
  async tokensOf(tickets: readonly (TokenTicket & { status: TicketStatus })[]): Promise<Map<number, string>> {
    const paid = tickets.filter(({ status }) => status === 'paid');
    const tokens = new Map<number, string>();
    for (const [i, ticket] of paid.entries()) {
      if (i > 0 && i % AT_ONCE === 0) await nextTurn();
      tokens.set(ticket.id, await this.tokenOf(ticket));
    }
    return tokens;
  }

  /** @returns undefined for a token that is malformed, or not signed by a key of ours */
  async verify(token: string): Promise<TicketClaims | undefined> {
    const key = this.keys.signingNow;
    const isOfNow = key !== undefined && token.startsWith(key.header);
    const payload = isOfNow ? payloadBy(key, token) : await this.verifiedPayload(token);
    return payload && claimsIn(payload);
  }

  private async verifiedPayload(token: string): Promise<Uint8Array | undefined> {
    try {
      const { payload } = await compactVerify(
        token,
        async ({ kid }) => {
          const key = await this.keys.toVerify(kid ?? '');
          if (key === undefined) throw new errors.JWKSNoMatchingKey();
          return key;
        },
        { algorithms: [ALGORITHM] },
      );
      return payload;
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }
}

/** A JWS in its compact form. (WebCrypto, which `jose` signs by, takes six times as long.) */
function sign(key: SigningKey, payload: string): string {
  const input = key.header + payload;
  return `${input}.${key.sign(Buffer.from(input)).toString('base64url')}`;
}

/**
 * The payload of a token that begins as those of the key that signs now do. Ed25519 signs the same in the same way each time:
 * to sign again takes a sixth of the time of verifying.
 */
function payloadBy(key: SigningKey, token: string): Buffer | undefined {
  const payload = token.slice(key.header.length, token.lastIndexOf('.'));
  const [given, ours] = [Buffer.from(token), Buffer.from(sign(key, payload))];
  const isOurs = given.length === ours.length && timingSafeEqual(given, ours);
  return isOurs ? Buffer.from(payload, 'base64url') : undefined;
}

function claimsIn(payload: Uint8Array): TicketClaims | undefined {
  const { t, e, y, g } = JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>;
  const numbers = [t, e, y, g].map(Number);
  if (!numbers.every(Number.isSafeInteger)) return undefined;
  const [ticketId = 0, eventId = 0, ticketTypeId = 0, generation = 0] = numbers;
  return { ticketId, eventId, ticketTypeId, generation };
}
