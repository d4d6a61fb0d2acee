import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { secretFingerprint } from '../auth/secret-fingerprint';
import type { Settings } from '../config/settings';
import { encryptKey } from './key-cipher';

/** The secrets that encrypt the private halves of keys: the first encrypts, all decrypt. */
export const keySecrets = ({ TICKET_KEY_SECRET, JWT_SECRET = [] }: Settings): readonly string[] =>
  TICKET_KEY_SECRET ?? JWT_SECRET;

/** A key pair as a row takes it: its name, both halves, and what names the secret. */
export function newTicketKey(settings: Settings): [string, Buffer, Buffer, string] {
  const [secret = ''] = keySecrets(settings);
  const { privateKey } = generateKeyPairSync('ed25519');
  const { x = '', d = '' } = privateKey.export({ format: 'jwk' });
  // Of three characters the header has no byte too many: it is in every QR code.
  const kid = randomBytes(3).toString('base64url').slice(0, 3);
  return [kid, bytesOf(x), encryptKey(bytesOf(d), kid, secret), secretFingerprint(secret)];
}

const bytesOf = (text: string) => Buffer.from(text, 'base64url');
