import { createRequire } from 'node:module';

/** Passwords that many people have, from leaks; loaded when the first one is looked up. */
let common: Set<string> | undefined;
function isCommon(word: string): boolean {
  if (common === undefined) {
    const { dictionary } = createRequire(__filename)('@zxcvbn-ts/language-common') as {
      dictionary: Record<string, string[]>;
    };
    common = new Set(dictionary['passwords-common']);
  }
  return common.has(word);
}

/** What to tell of a guessable password. */
export const GUESSABLE =
  'is one that is guessed first: take another, such as three or four words of your own';

/**
 * Whether a guesser tries the password first: one that many people have, the words of its owner, a row of keys or a short
 * piece, each also in other letters, repeated, or with digits and signs around it. There are no rules of composition
 * (NIST SP 800-63B, section 3.1.1.2). It takes some microseconds: a password has at most 128 characters.
 *
 * @param words of the owner: the name, the e-mail
 */
export function isGuessable(password: string, words: string[]): boolean {
  const plain = password.normalize('NFKC').toLowerCase();
  const own = new Set(
    [...words, ...words.flatMap((word) => word.split(/[^\p{L}\p{N}]+/u)), 'tixxety'].map(compact),
  );
  const bare = plain.replaceAll(/^\P{L}+|\P{L}+$/gu, '');
  const spellings = [plain, bare, withoutLeet(plain), withoutLeet(bare)];
  return spellings.some((spelling) => {
    const piece = repeatedPiece(compact(spelling));
    if (piece === '') return false;
    return piece.length <= 3 || ROWS.some((row) => row.includes(piece)) || own.has(piece) || isCommon(piece);
  });
}

const compact = (text: string) => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, '');

const LEET: Record<string, string> = {
  '@': 'a',
  '4': 'a',
  '3': 'e',
  '1': 'i',
  '!': 'i',
  '0': 'o',
  $: 's',
  '5': 's',
  '7': 't',
};
const withoutLeet = (text: string) => text.replaceAll(/[@431!0$57]/g, (sign) => LEET[sign] ?? sign);

const KEYS = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890123456789',
  '1234567890'.repeat(12),
  'qwertyuiopasdfghjklzxcvbnm',
  'qwertzuiopasdfghjklyxcvbnm',
];
const ROWS = [...KEYS, ...KEYS.map((row) => [...row].reverse().join(''))];

/** The piece that the text repeats, cut short at the end or not; the text itself where it repeats none. */
function repeatedPiece(text: string): string {
  for (let length = 1; length <= text.length / 2; length++) {
    if (text.endsWith(text.slice(0, -length)) && text.startsWith(text.slice(length)))
      return text.slice(0, length);
  }
  return text;
}
