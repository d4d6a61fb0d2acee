import fc from 'fast-check';
import { emailKey, isEmailAddress } from './email';

const FORMS = ['upper', 'lower', 'NFD'];

function spell(text: string, form: string): string {
  if (form === 'upper') return text.toUpperCase();
  return form === 'lower' ? text.toLowerCase() : text.normalize(form);
}

describe('emailKey', () => {
  it.each([
    ['letters of any case', 'ada@example.com', ['Ada@Example.COM', ' ADA@EXAMPLE.com\n']],
    ['the dotted capital I', 'i\u0307rem@example.com', ['İrem@example.com', 'I\u0307REM@example.com']],
    ['the dotless small i', 'irmak@example.com', ['ırmak@example.com', 'IRMAK@example.com']],
    ['both small sigmas', 'οδυσσευσ@example.com', ['ΟΔΥΣΣΕΥΣ@example.com', 'οδυσσευς@example.com']],
    [
      'composed and decomposed letters',
      'élodie@example.com',
      ['e\u0301lodie@example.com', 'ÉLODIE@example.com'],
    ],
    ['letters of full width', 'ada@example.com', ['ａｄａ@example.com', 'ada@ｅｘａｍｐｌｅ.com']],
    [
      'a domain in Unicode and in ASCII',
      'ada@bücher.example',
      ['ada@xn--bcher-kva.example', 'ADA@BÜCHER.example', 'ada@XN--BCHER-KVA.example'],
    ],
    ['quotes that are not needed', 'ada.l@example.com', ['"ada.l"@example.com', '"ADA\\.l"@example.com']],
    ['quotes that are', '"ada l"@example.com', ['"Ada L"@example.com', '"ada\\ l"@example.com']],
  ])('is the same for %s', (_what, email, spellings) => {
    for (const spelling of spellings) expect(emailKey(spelling)).toBe(emailKey(email));
  });

  it.each([
    ['ada@example.com', 'ada@example.org'],
    ['ada@example.com', 'ad.a@example.com'],
    ['ada+tickets@example.com', 'ada@example.com'],
    ['"ada l"@example.com', 'adal@example.com'],
    ['élodie@example.com', 'elodie@example.com'],
    ['@', 'ada'],
  ])('is another for %s than for %s', (one, other) => expect(emailKey(one)).not.toBe(emailKey(other)));

  it('of any character is the same in capitals, in small letters and decomposed', () => {
    const differing: string[] = [];
    for (let code = 0x21; code <= 0x10_ff_ff; code++) {
      const character = String.fromCodePoint(code);
      if (!/[\p{CWKCF}\p{CWU}\p{CWL}]/u.test(character) && character === character.normalize('NFD')) continue;
      const email = `x${character}@example.com`;
      const spellings = [...FORMS.map((form) => spell(email, form)), emailKey(email)];
      if (spellings.some((spelling) => emailKey(spelling) !== emailKey(email)))
        differing.push(code.toString(16));
    }
    expect(differing).toEqual([]);
  });

  it('is made of any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => typeof emailKey(text) === 'string'));
  });
});

describe('isEmailAddress', () => {
  it.each([
    'ada@example.com',
    'élodie@bücher.example',
    '"ada lovelace"@example.com',
    '"ada@home"@example.com',
    '用户@例子.广告',
  ])('takes %s', (email) => expect(isEmailAddress(email)).toBe(true));

  it.each([
    ['zero width', 'a\u200bda@example.com'],
    ['a joiner', 'a\u200dda@example.com'],
    ['a soft hyphen in the domain', 'ada@exam\u00adple.com'],
    ['a Hangul filler', 'ada\u3164@example.com'],
    ['a direction', 'ada\u202e@example.com'],
    ['a line', '"ada\r\nBcc: bob@example.com"@example.com'],
    ['a control character', '"ada\u0001"@example.com'],
    ['a line separator', '"ada\u2028"@example.com'],
    ['a space that is none', '"ada\u00a0l"@example.com'],
    ['half a pair', 'ada\ud83c@example.com'],
    ['no domain', 'ada'],
    ['no text', 7],
  ])('refuses %s', (_what, email) => expect(isEmailAddress(email)).toBe(false));
});
