import { sign, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { CompactSign, compactVerify, errors } from 'jose';
import { LRUCache } from 'lru-cache';
import type { TicketStatus } from '../inventory/ticket-status';
import { TicketKeys } from './ticket-keys';

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

const ALGORITHM = 'EdDSA';

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
    const { kid, key } = await this.keys.toSign();
    const name = `${kid} ${id} ${generation}`;
    const known = this.signed.get(name);
    if (known !== undefined) return known;
    const claims = JSON.stringify({ t: id, e: eventId, y: ticketTypeId, g: generation });
    const token = await new CompactSign(Buffer.from(claims))
      .setProtectedHeader({ alg: ALGORITHM, kid })
      .sign(key);
    this.signed.set(name, token);
    return token;
  }

  /** The tokens of those of the tickets that are paid, by the tickets' ids. */
  async tokensOf(tickets: readonly (TokenTicket & { status: TicketStatus })[]): Promise<Map<number, string>> {
    const paid = tickets.filter(({ status }) => status === 'paid');
    return new Map(
      await Promise.all(paid.map(async (ticket) => [ticket.id, await this.tokenOf(ticket)] as const)),
    );
  }

  /** @returns undefined for a token that is malformed, or not signed by a key of ours */
  async verify(token: string): Promise<TicketClaims | undefined> {
    const payload = this.payloadOfNow(token) ?? (await this.verifiedPayload(token));
    return payload && claimsIn(payload);
  }

  /**
   * The payload of a token that was signed by the key that signs now. Ed25519 signs the same in the same way each time: to
   * sign again takes a third of the time of verifying.
   */
  private payloadOfNow(token: string): Buffer | undefined {
    const key = this.keys.signingNow;
    const [header, payload, signature = ''] = token.split('.');
    if (key === undefined || payload === undefined || header !== headerOf(key.kid)) return undefined;
    const expected = Buffer.from(
      sign(null, Buffer.from(`${header}.${payload}`), key.keyObject).toString('base64url'),
    );
    const given = Buffer.from(signature);
    const isSame = given.length === expected.length && timingSafeEqual(given, expected);
    return isSame && token.length === header.length + payload.length + signature.length + 2
      ? Buffer.from(payload, 'base64url')
      : undefined;
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

/** The first part of a token, as `CompactSign` writes it. */
const headerOf = (kid: string) => Buffer.from(JSON.stringify({ alg: ALGORITHM, kid })).toString('base64url');

function claimsIn(payload: Uint8Array): TicketClaims | undefined {
  const { t, e, y, g } = JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>;
  const numbers = [t, e, y, g].map(Number);
  if (!numbers.every(Number.isSafeInteger)) return undefined;
  const [ticketId = 0, eventId = 0, ticketTypeId = 0, generation = 0] = numbers;
  return { ticketId, eventId, ticketTypeId, generation };
}
