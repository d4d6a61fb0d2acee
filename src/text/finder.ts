import { emailKey, foldCase, isEmailAddress } from './email';

/**
 * Finds words in names and e-mail addresses. What is searched and what is searched for lose case and width in the same way,
 * whatever the database's locale; a whole address is found however it is spelled.
 */
export function finder(q: string): (text: string | null) => boolean {
  const words = q.trim();
  const folded = foldCase(words);
  const address = isEmailAddress(words) ? emailKey(words) : undefined;
  return (text) =>
    text !== null &&
    (foldCase(text).includes(folded) ||
      (address !== undefined && text.includes('@') && emailKey(text) === address));
}
