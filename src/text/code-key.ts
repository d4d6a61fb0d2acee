import { foldCase } from './email';

/** The longest normal form of a code: some letters become several. */
export const MAX_CODE_KEY = 100;

/**
 * The normal form of a code: those that share one are one code, in letters of any case and width, with or without spaces
 * around them. JavaScript makes it, because `lower()` goes by the database's locale.
 */
export const codeKey = (code: string) => foldCase(code).trim();
