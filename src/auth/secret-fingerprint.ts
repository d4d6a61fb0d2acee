import { hkdfSync } from 'node:crypto';

/** Of the 32 bytes: enough to tell secrets apart, and of no use to sign or to guess a random one with. */
const SHOWN_BYTES = 4;

/** What names a secret without telling it: 8 hexadecimal digits, the same in every process that knows it (HKDF, RFC 5869). */
export const secretFingerprint = (secret: string): string =>
  Buffer.from(hkdfSync('sha256', secret, '', 'tixxety secret fingerprint', SHOWN_BYTES)).toString('hex');
