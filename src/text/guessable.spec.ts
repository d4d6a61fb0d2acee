import { isGuessable } from './guessable';

const OWN = ['Ada Lovelace', 'ada.king@example.com'];

describe('isGuessable', () => {
  it.each([
    'password1234',
    'PassWord1234!',
    'P@ssw0rd1234',
    'passwordpassword',
    '123456789012',
    '987654321098',
    '000000000000',
    'qwertyuiop12',
    'qwertyuiopasdf',
    'abcdefghijklmnop',
    'abcabcabcabca',
    '1q2w3e4r5t6y',
    'leavemealone',
    '!!letmein2030!!',
    'ｐａｓｓｗｏｒｄ1234',
    'Ada Lovelace',
    'lovelace1815',
    'ada.king@example.com',
    'tixxety12345',
  ])('says so of %s', (password) => expect(isGuessable(password, OWN)).toBe(true));

  it.each([
    'notes on the engine',
    'correct horse battery staple',
    'twelve characters or more',
    'let me be admin',
    '839201746352',
    'Lovelace notes on the engine',
    'шифровальная машина',
    '合言葉は山と川と空と海と雲',
  ])('says no of %s', (password) => expect(isGuessable(password, OWN)).toBe(false));
});
