import { domainToASCII } from 'node:url';
import { isEmail } from 'class-validator';

/** Characters that can't be seen or told apart, and all that ends a line: an address on paper has none of them. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/u;

/** Whether it is an e-mail address. (`isEmail` itself throws a URIError at half a surrogate pair.) */
export const isEmailAddress = (text: unknown): text is string =>
  typeof text === 'string' && text.isWellFormed() && !UNSEEN.test(text) && isEmail(text);

/**
 * The normal form of an e-mail address: addresses that share one are one account. Accounts, limits and look-ups all go
 * by it. JavaScript makes it, because `lower()` goes by the database's locale.
 *
 * Letters lose their case and their width, the domain is spelled in ASCII, and the local part loses quotes that it does
 * not need. Text that is no address has a normal form, too, so that guesses at it can be counted.
 */
export function emailKey(email: string): string {
  const text = email.trim();
  const at = text.lastIndexOf('@');
  const domain = text.slice(at + 1);
  return `${localKey(text.slice(0, Math.max(0, at)))}@${domainToASCII(domain) || foldCase(domain)}`;
}

function localKey(local: string): string {
  const [, quoted] = /^"(.*)"$/s.exec(local) ?? [];
  const folded = foldCase(quoted?.replaceAll(/\\(.)/gs, '$1') ?? local);
  return quoted === undefined || DOT_ATOM.test(folded) ? folded : JSON.stringify(folded);
}

/** What needs no quotes (RFC 5322, section 3.2.3; RFC 6532 for letters beyond ASCII). */
const DOT_ATOM = /^[^\s"(),:;<>@[\]\\.]+(\.[^\s"(),:;<>@[\]\\.]+)*$/;

/** Text without case and width. By way of the capital letters: some small ones, such as ς and σ, or ı and i, share one. */
export const foldCase = (text: string) =>
  text.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase().normalize('NFKC');
