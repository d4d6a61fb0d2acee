import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts the private half of the key `kid`, so that the database alone signs nothing. */
export function encryptKey(privateKey: Buffer, kid: string, secret: string): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, encryptionKey(secret), iv).setAAD(Buffer.from(kid));
  const encrypted = [cipher.update(privateKey), cipher.final()];
  return Buffer.concat([iv, cipher.getAuthTag(), ...encrypted]);
}

/** @throws where the bytes are not what `encryptKey` gave for this key and secret */
export function decryptKey(encrypted: Buffer, kid: string, secret: string): Buffer {
  const [iv, tag] = [encrypted.subarray(0, IV_BYTES), encrypted.subarray(IV_BYTES, IV_BYTES + TAG_BYTES)];
  const decipher = createDecipheriv(ALGORITHM, encryptionKey(secret), iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(kid)).setAuthTag(tag);
  return Buffer.concat([decipher.update(encrypted.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
}

/** HKDF, RFC 5869. */
const encryptionKey = (secret: string) =>
  Buffer.from(hkdfSync('sha256', secret, '', 'tixxety ticket key', 32));
