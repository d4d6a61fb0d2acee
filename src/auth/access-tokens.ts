import { createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import { sign } from 'jsonwebtoken';
import type { Account, Caller, Role } from './caller';
import { HmacSha256 } from './hmac';

/** How long an access token is good for. It can't be revoked before. */
export const ACCESS_TOKEN_SECONDS = 900;

/** A token that lasts longer is not ours. The minute is for the clock of the process that signed it. */
const LONGEST_LIFE = ACCESS_TOKEN_SECONDS + 60;

const ALGORITHM = 'HS256';
const ISSUER = 'tixxety';
const AUDIENCE = 'tixxety-api';
const ROLES: readonly unknown[] = ['user', 'admin'] satisfies Role[];

/** The header of every token we sign; one with another header is not ours, whatever algorithm it names. */
const HEADER = Buffer.from(JSON.stringify({ alg: ALGORITHM, typ: 'JWT' })).toString('base64url');

/**
 * Signs and verifies access tokens: JSON Web Tokens (RFC 7519) that name the caller, so that no request asks the database.
 *
 * Verifying knows just the one kind of token that `sign` makes. (A library that knows all kinds takes a tenth of what a
 * reservation costs. Remembering tokens costs even more when everybody comes once, as they do when sales begin.)
 */
export class AccessTokens {
  private readonly signingKey: KeyObject;
  private readonly verifiers: readonly HmacSha256[];

  /**
   * @param secrets the first signs, all of them verify: put a new one first to change it without signing anyone out
   * @param now milliseconds since 1970, by a clock on which all signing and verifying processes agree
   */
  constructor(
    secrets: readonly string[],
    private readonly now = () => Date.now(),
  ) {
    this.signingKey = createSecretKey(secrets[0] ?? '', 'utf8');
    this.verifiers = secrets.map((secret) => new HmacSha256(secret));
  }

  /**
   * A token of the account. It is never older than the account, even where the clock has been set back since.
   *
   * @param sessionId the session it is issued in, if any
   */
  sign({ userId, role, createdAt }: Account, sessionId?: string): string {
    const now = Math.floor(this.now() / 1_000);
    const iat = Math.max(now, Math.floor(createdAt.getTime() / 1_000));
    const claims = { role, iat, exp: now + ACCESS_TOKEN_SECONDS };
    return sign(sessionId === undefined ? claims : { ...claims, sid: sessionId }, this.signingKey, {
      algorithm: ALGORITHM,
      issuer: ISSUER,
      audience: AUDIENCE,
      subject: String(userId),
    });
  }

  /** @returns undefined for a token that is malformed, expired, not signed by us or not meant for us */
  verify(token: string): Caller | undefined {
    const [header, payload, signature, more] = token.split('.');
    if (header !== HEADER || payload === undefined || signature === undefined || more !== undefined)
      return undefined;
    const isOurs = this.verifiers.some((key) => isSame(key.sign(`${header}.${payload}`), signature));
    return isOurs ? callerOf(payload, this.now() / 1_000) : undefined;
  }
}

const SIGNATURE_LENGTH = 43;
/** Two buffers for all signatures: making them anew takes longer than comparing. */
const [EXPECTED, GIVEN] = [Buffer.alloc(SIGNATURE_LENGTH), Buffer.alloc(SIGNATURE_LENGTH)];

/** In a time that tells nothing of how much of it is right. */
function isSame(expected: string, given: string): boolean {
  if (Buffer.byteLength(given) !== SIGNATURE_LENGTH) return false;
  EXPECTED.write(expected);
  GIVEN.write(given);
  return timingSafeEqual(EXPECTED, GIVEN);
}

/**
 * @param payload the claims of a token with our signature, which is no reason to skip what they say
 * @param now seconds since 1970
 */
function callerOf(payload: string, now: number): Caller | undefined {
  const claims = claimsOf(payload);
  const { iss, aud, sub, role, sid, iat, nbf = 0, exp } = claims;
  const isNow =
    typeof exp === 'number' &&
    exp > now &&
    exp <= now + LONGEST_LIFE &&
    typeof nbf === 'number' &&
    nbf <= now;
  const userId = Number(sub);
  if (iss !== ISSUER || aud !== AUDIENCE || !isNow) return undefined;
  if (!Number.isSafeInteger(userId) || userId < 1 || !ROLES.includes(role)) return undefined;
  if (typeof iat !== 'number' || !Number.isSafeInteger(iat)) return undefined;
  const caller = { userId, role: role as Role, issuedAt: iat };
  return typeof sid === 'string' ? { ...caller, sessionId: sid } : caller;
}

function claimsOf(payload: string): Partial<Record<string, unknown>> {
  try {
    return Object(JSON.parse(Buffer.from(payload, 'base64url').toString())) as Partial<
      Record<string, unknown>
    >;
  } catch {
    return {};
  }
}
