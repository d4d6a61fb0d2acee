/**
 * Whose objects a statement may see. A scope stands in the SQL and not in a check after it, so that a foreign object
 * looks like a missing one.
 */
export type Scope = { by: 'anyone' } | { by: 'buyer'; userId: number };

/** The id that an object's buyer must have, as a statement takes it; null: any. */
export const buyerIn = (scope: Scope): number | null => (scope.by === 'buyer' ? scope.userId : null);
