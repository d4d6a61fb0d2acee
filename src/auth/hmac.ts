import { createHash, hash } from 'node:crypto';

const BLOCK_SIZE = 64;
const DIGEST_SIZE = 32;
/** Longer than our tokens; a longer text costs a buffer of its own. */
const USUAL_SIZE = 1_024;

/**
 * HMAC-SHA256 (RFC 2104) of short texts under one key. (Node's own is a stream with memory outside of V8's, made anew
 * for each text: collecting that takes longer than both hashes. So would new buffers for what is hashed.)
 */
export class HmacSha256 {
  /** The key's block, and room for the text; `outer` likewise, for the digest. */
  private readonly inner: Buffer;
  private readonly outer: Buffer;

  constructor(secret: string) {
    const given = Buffer.from(secret);
    const short = given.length > BLOCK_SIZE ? createHash('sha256').update(given).digest() : given;
    const key = Buffer.alloc(BLOCK_SIZE);
    short.copy(key);
    this.inner = Buffer.alloc(BLOCK_SIZE + USUAL_SIZE);
    this.inner.set(key.map((byte) => byte ^ 0x36));
    this.outer = Buffer.alloc(BLOCK_SIZE + DIGEST_SIZE);
    this.outer.set(key.map((byte) => byte ^ 0x5c));
  }

  /** @returns 43 characters of base64url */
  sign(text: string): string {
    const size = BLOCK_SIZE + Buffer.byteLength(text);
    const input = size > this.inner.length ? Buffer.concat([this.inner], size) : this.inner;
    input.write(text, BLOCK_SIZE);
    this.outer.write(hash('sha256', input.subarray(0, size), 'binary'), BLOCK_SIZE, 'binary');
    return hash('sha256', this.outer, 'base64url');
  }
}
