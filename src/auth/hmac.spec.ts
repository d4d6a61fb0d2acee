import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { HmacSha256 } from './hmac';

describe('HmacSha256', () => {
  it.each([
    ['\x0b'.repeat(20), 'Hi There', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
    [
      'Jefe',
      'what do ya want for nothing?',
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    ],
  ])('signs as RFC 4231 does under %j', (key, text, signature) => {
    expect(new HmacSha256(key).sign(text)).toBe(Buffer.from(signature, 'hex').toString('base64url'));
  });

  it('signs as Node does, whatever the lengths', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 200 });
    fc.assert(
      fc.property(text, text, (key, message) => {
        const expected = createHmac('sha256', key).update(message).digest('base64url');
        expect(new HmacSha256(key).sign(message)).toBe(expected);
      }),
    );
  });

  it('signs one text after the other alike, whatever came before', () => {
    const hmac = new HmacSha256('secret');
    for (const length of [1_025, 0, 1_024, 3, 100_000, 1_023, 1_024, 1]) {
      const text = 'é'.repeat(length >> 1) + 'x'.repeat(length % 2);
      expect(hmac.sign(text)).toBe(createHmac('sha256', 'secret').update(text).digest('base64url'));
    }
  });
});
