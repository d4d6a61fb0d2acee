import { hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { HmacSha256 } from './hmac';

/** Of 16 random bytes in base64url. */
const RANDOM_LENGTH = 22;
/** 126 bits. */
const TAG_LENGTH = 21;

const TOKEN = new RegExp(
  `^([\\da-f]{8}(?:-[\\da-f]{4}){3}-[\\da-f]{12})\\.[\\w-]{${RANDOM_LENGTH + TAG_LENGTH}}$`,
);

/** The session that a refresh token names; undefined where it is none. */
export const sessionOf = (token: string): string | undefined => TOKEN.exec(token)?.[1];

/**
 * Makes refresh tokens: the id of a session, random characters, and a tag that only we can make. Whether a token is good is
 * said by the database, which knows the last one of a session by its hash. The tag tells a used one, which was stolen, from
 * a guess, which must not end a session: ids of sessions are no secret.
 */
export class RefreshTokens {
  private readonly keys: readonly HmacSha256[];

  /** @param secrets the first makes tags, those of all of them are known */
  constructor(secrets: readonly string[]) {
    this.keys = secrets.map(
      (secret) =>
        new HmacSha256(
          Buffer.from(hkdfSync('sha256', secret, '', 'tixxety refresh tokens', 32)).toString('hex'),
        ),
    );
  }

  issue(sessionId: string): string {
    const untagged = `${sessionId}.${randomBytes(16).toString('base64url')}`;
    return untagged + this.tagsOf(untagged)[0];
  }

  /** Whether we have issued it, at whatever time. */
  isIssued(token: string): boolean {
    if (sessionOf(token) === undefined) return false;
    const given = Buffer.from(token.slice(-TAG_LENGTH));
    return this.tagsOf(token.slice(0, -TAG_LENGTH)).some((tag) => timingSafeEqual(Buffer.from(tag), given));
  }

  private tagsOf(untagged: string): string[] {
    return this.keys.map((key) => key.sign(untagged).slice(0, TAG_LENGTH));
  }
}
