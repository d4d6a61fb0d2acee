import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';

/** A request with an `Idempotency-Key`. */
export interface KeyedRequest {
  /** The user that sent it, or, below 0, the device; undefined for an anonymous request. */
  caller: number | undefined;
  key: string;
  method: string;
  path: string;
  body: unknown;
}

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * The form of a request in the database. A reader of it, without the server's secret, learns neither key nor body nor
 * answer, and can't try out passwords on it; not even with the secret, without the request's key.
 */
export class AnswerCipher {
  /** Names the request: its caller and key. Callers without a token may be many, so theirs is the request as a whole. */
  readonly id: Buffer;
  /** Differs between requests that share an id. */
  readonly fingerprint: Buffer;
  private readonly deriveEncryptionKey: () => Buffer;

  constructor(secret: string, { caller, key, method, path, body }: KeyedRequest) {
    const whole = [caller ?? null, key, method, path, inOneOrder(body)];
    const identity = caller === undefined ? whole : [caller, key];
    this.id = derive(secret, 'id', identity);
    this.fingerprint = derive(secret, 'fingerprint', whole);
    // Most are never asked for it.
    this.deriveEncryptionKey = () => derive(secret, 'answer', identity);
  }

  encrypt(text: string): Buffer {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.deriveEncryptionKey(), iv);
    const encrypted = [cipher.update(text, 'utf8'), cipher.final()];
    return Buffer.concat([iv, cipher.getAuthTag(), ...encrypted]);
  }

  /** @throws where the bytes are not what `close` gave */
  decrypt(sealed: Buffer): string {
    const [iv, tag] = [sealed.subarray(0, IV_BYTES), sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES)];
    const decipher = createDecipheriv(ALGORITHM, this.deriveEncryptionKey(), iv, {
      authTagLength: TAG_BYTES,
    });
    decipher.setAuthTag(tag);
    return decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  }
}

/** 32 bytes for one purpose that only the secret yields (HKDF, RFC 5869). */
function derive(secret: string, purpose: string, parts: unknown[]): Buffer {
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest();
  const info = Buffer.concat([Buffer.from(`tixxety idempotency ${purpose} `), digest]);
  return Buffer.from(hkdfSync('sha256', secret, '', info, 32));
}

/** Two bodies are the same when they say the same, however they are spaced and their fields are ordered. */
function inOneOrder(body: unknown): unknown {
  if (Array.isArray(body)) return body.map(inOneOrder);
  if (body === null || typeof body !== 'object') return body;
  const fields = Object.entries(body).sort(([a], [b]) => (a < b ? -1 : 1));
  return fields.map(([name, value]) => [name, inOneOrder(value)]);
}
