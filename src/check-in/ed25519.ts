import { createPrivateKey, sign } from 'node:crypto';
import { createRequire } from 'node:module';
import type * as Sodium from 'sodium-native';

/** Signs a message by Ed25519 (RFC 8032): 64 bytes, the same each time. */
export type Signer = (message: Buffer) => Buffer;

/** What a private key is in PKCS #8 (RFC 8410), but for its 32 bytes, which come last. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * By libsodium, which signs the same as Node's OpenSSL in half the time, 18 µs, where it has a build for the system. (In a
 * thread, of Node's or our own, a signature costs as much of the event loop, and an answer waits once more.)
 *
 * @param privateKey 32 bytes
 */
export const signerOf = (privateKey: Buffer): Signer => (sodiumSignerOf ?? openSslSignerOf)(privateKey);

export function openSslSignerOf(privateKey: Buffer): Signer {
  const der = Buffer.concat([PKCS8_PREFIX, privateKey]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return (message) => sign(null, message, key);
}

/** undefined where libsodium has no build for the system. */
export const sodiumSignerOf = load();

function load(): ((privateKey: Buffer) => Signer) | undefined {
  let sodium: typeof Sodium;
  try {
    sodium = createRequire(__filename)('sodium-native') as typeof Sodium;
  } catch {
    return undefined;
  }
  return (privateKey) => {
    const publicKey = Buffer.alloc(sodium.crypto_sign_PUBLICKEYBYTES);
    const secretKey = Buffer.alloc(sodium.crypto_sign_SECRETKEYBYTES);
    sodium.crypto_sign_seed_keypair(publicKey, secretKey, privateKey);
    return (message) => {
      const signature = Buffer.allocUnsafe(sodium.crypto_sign_BYTES);
      sodium.crypto_sign_detached(signature, message, secretKey);
      return signature;
    };
  };
}
