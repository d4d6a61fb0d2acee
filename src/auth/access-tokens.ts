import { createSecretKey, type KeyObject } from 'node:crypto';
import { sign, verify } from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import type { Caller, Role } from './caller';

/** How long an access token is good for; nobody can take it back before. */
export const ACCESS_TOKEN_SECONDS = 900;

/** A token that lasts longer is not ours; a minute more, for the clock of the machine that signed it. */
const LONGEST_LIFE_MS = (ACCESS_TOKEN_SECONDS + 60) * 1_000;

const ALGORITHM = 'HS256';
const ISSUER = 'tixxety';
const AUDIENCE = 'tixxety-api';
const ROLES: readonly unknown[] = ['user', 'admin'] satisfies Role[];

/** Some 35 MB of them, were there that many; one that falls out is verified again. */
const REMEMBERED = 100_000;

interface Verified {
  caller: Caller;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/** Signs and verifies access tokens: JSON Web Tokens (RFC 7519) that say who calls, so that no request asks the database. */
export class AccessTokens {
  private readonly keys: readonly KeyObject[];
  /** Verifying takes 30 µs of the processor, remembering one; a client sends the same token again and again. */
  private readonly verified = new LRUCache<string, Verified>({ max: REMEMBERED });

  /** @param secrets the first signs, all of them verify: put a new one first to change it without signing anyone out */
  constructor(secrets: readonly string[]) {
    this.keys = secrets.map((secret) => createSecretKey(secret, 'utf8'));
  }

  sign({ userId, role }: Caller): string {
    return sign({ role }, this.keys[0] as KeyObject, {
      algorithm: ALGORITHM,
      issuer: ISSUER,
      audience: AUDIENCE,
      subject: String(userId),
      expiresIn: ACCESS_TOKEN_SECONDS,
    });
  }

  /** @returns undefined for a token that is malformed, expired, not signed by us or not meant for us */
  verify(token: string): Caller | undefined {
    const known = this.verified.get(token);
    if (known) return known.expiresAt > Date.now() ? known.caller : undefined;
    for (const key of this.keys) {
      const verified = verifyWith(key, token);
      if (!verified) continue;
      this.verified.set(token, verified);
      return verified.caller;
    }
    return undefined;
  }
}

function verifyWith(key: KeyObject, token: string): Verified | undefined {
  try {
    const claims = verify(token, key, { algorithms: [ALGORITHM], issuer: ISSUER, audience: AUDIENCE });
    if (typeof claims === 'string') return undefined;
    const { sub, exp = Infinity, role } = claims;
    const userId = Number(sub);
    if (!Number.isSafeInteger(userId) || userId < 1 || !ROLES.includes(role)) return undefined;
    const expiresAt = exp * 1_000;
    if (expiresAt > Date.now() + LONGEST_LIFE_MS) return undefined;
    return { caller: { userId, role: role as Role }, expiresAt };
  } catch {
    return undefined;
  }
}
