import { generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import { openSslSignerOf, signerOf, sodiumSignerOf } from './ed25519';

/** Test 3 of RFC 8032, section 7.1. */
const RFC_8032 = {
  privateKey: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
  message: 'af82',
  signature:
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac' +
    '18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
};
const bytes = (hex: string) => Buffer.from(hex, 'hex');

describe('Ed25519', () => {
  const signers = { libsodium: sodiumSignerOf, OpenSSL: openSslSignerOf };

  it.each(Object.entries(signers))('signs by %s as RFC 8032 shows', (_, of) => {
    const signature = of?.(bytes(RFC_8032.privateKey))(bytes(RFC_8032.message));
    expect(signature?.toString('hex')).toBe(RFC_8032.signature);
  });

  it('signs the same by both, and what its public half verifies', () => {
    for (let i = 0; i < 100; i++) {
      const { privateKey, publicKey } = generateKeyPairSync('ed25519');
      const { d = '' } = privateKey.export({ format: 'jwk' });
      const [message, bytesOfKey] = [randomBytes(i * 3), Buffer.from(d, 'base64url')];
      const signature = signerOf(bytesOfKey)(message);
      expect(signature).toEqual(openSslSignerOf(bytesOfKey)(message));
      expect(verify(null, message, publicKey, signature)).toBe(true);
    }
  });
});
