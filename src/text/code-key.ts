/** The normal form of a discount code: codes that share one are one code. */
export const codeKey = (code: string) => code.normalize('NFKC').trim().toLowerCase();
