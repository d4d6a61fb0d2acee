import { isLine, isText, isVisible } from './line';

describe('isLine', () => {
  it.each([
    ['no text', ''],
    ['scripts', 'Ada Лавлейс שָׁלוֹם 你好 こんにちは สวัสดี'],
    ['a Persian word with a non-joiner', 'می\u200cخواهم'],
    ['a Sinhala word with a joiner', 'ශ්\u200dරී'],
    ['a Bengali word that ends with one', 'ত্\u200d'],
    ['a letter of Arabic in the form it has before others', 'ه\u200d'],
    ['a family', '👩\u200d👩\u200d👧\u200d👦'],
    ['a flag of two pictures', '🏳️\u200d🌈'],
    ['a skin and a profession', '🧑🏽\u200d🚀'],
    ['a heart in colour', '❤\ufe0f'],
    ['the flag of Scotland', '🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}'],
    ['a variant of a character', '葛\u{e0100}'],
    ['the end of an ayah', '\u06dd١'],
    ['a Mongolian word with a vowel separator', 'ᠠᠷᠭ\u180eᠠ'],
  ])('takes %s', (_what, text) => expect(isLine(text)).toBe(true));

  it.each([
    ['a line break', 'Ada\nLovelace'],
    ['a carriage return', 'Ada\rLovelace'],
    ['a next line', 'Ada\u0085Lovelace'],
    ['a line separator', 'Ada\u2028Lovelace'],
    ['a paragraph separator', 'Ada\u2029Lovelace'],
    ['a tab', 'Ada\tLovelace'],
    ['a NUL', 'Ada\0'],
    ['an escape', '\u001b[31mAda'],
    ['zero width', 'A\u200bda'],
    ['a direction', 'Ada\u202eecalevoL'],
    ['an isolate', '\u2066Ada'],
    ['a byte order mark', '\ufeffAda'],
    ['a soft hyphen', 'A\u00adda'],
    ['a word joiner', 'A\u2060da'],
    ['a joiner that joins nothing', ' \u200d '],
    ['tags without a flag', 'Ada\u{e0067}\u{e0062}\u{e007f}'],
    ['a language tag', '\u{e0001}Ada'],
    ['half a surrogate pair', 'Ada\ud83c'],
    ['a noncharacter', 'Ada\uffff'],
  ])('refuses %s', (_what, text) => expect(isLine(text)).toBe(false));
});

describe('isText', () => {
  it.each(['Two\r\nlines\n\tand a half', 'one\u2028line', 'ភាសា\u200bខ្មែរ', '\u202bשלום\u202c'])(
    'takes %j',
    (text) => expect(isText(text)).toBe(true),
  );

  it.each(['a\0b', 'a\u001bb', 'a\u0085b', 'a\ud83c', 'a\ufffe'])('refuses %j', (text) =>
    expect(isText(text)).toBe(false),
  );
});

describe('isVisible', () => {
  it.each(['a', '🎻', '.', 'ー', ' a ', '\u0903'])('says so of %j', (text) =>
    expect(isVisible(text)).toBe(true),
  );

  it.each([
    '',
    ' ',
    '\u00a0',
    '\u3000',
    '\u200b',
    '\u3164',
    '\u2800',
    '\u115f\u1160',
    '\uffa0',
    '\ufe0f',
    '\u034f',
    '\u0301',
    '\u200d',
  ])('says no of %j', (text) => expect(isVisible(text)).toBe(false));
});
