/** The user a statement is about. */
export interface Subject {
  userId: number;
  /**
   * When the token of that user was issued, in seconds since 1970, rounded down. A younger account is another's: after
   * a restore it may have got the id of one that is lost. Left out where a trusted back end names the user.
   */
  issuedAt?: number;
}

/**
 * Says whose objects a statement may see. It stands in the SQL and not in a check after it, so that a foreign object
 * looks like a missing one.
 */
export type Scope = { by: 'anyone' } | ({ by: 'buyer' } & Subject);

/** The same for an order, which the organizer of its event may touch, too: the buyer and the organizer are its parties. */
export type OrderScope = Scope | ({ by: 'party' } & Subject);

/** The same for what belongs to an organizer. */
export type OrganizerScope = { by: 'anyone' } | ({ by: 'organizer' } & Subject);

/** The id that an object's buyer must have, as a statement takes it; null: any. */
export const buyerIn = (scope: OrderScope): number | null => (scope.by === 'anyone' ? null : scope.userId);

/** The id that an object's organizer must have, as a statement takes it; null: any. */
export const organizerIn = (scope: OrganizerScope): number | null =>
  scope.by === 'organizer' ? scope.userId : null;

/** When the token was issued, as a statement takes it; null: the age of the account is no matter. */
export const issuedAtIn = (scope: OrderScope | OrganizerScope): number | null =>
  scope.by === 'anyone' ? null : (scope.issuedAt ?? null);

/** SQL: whether an account was there when a token was issued. */
export const wasThere = (createdAt: string, issuedAt: string) =>
  `(${issuedAt} IS NULL OR ${createdAt} < to_timestamp(${issuedAt} + 1))`;

/** SQL: the buyer, if it was there when its token was issued, else 0, whom nothing belongs to; null stays null. */
export const buyerThere = (buyerId: string, issuedAt: string) => `CASE
        WHEN ${buyerId} IS NULL THEN NULL
        WHEN ${wasThere(`(SELECT created_at FROM users WHERE id = ${buyerId})`, issuedAt)} THEN ${buyerId}
        ELSE 0
      END`;

/** SQL: the same for an organizer. */
export const organizerThere = buyerThere;

/**
 * SQL: whether an order is in scope.
 *
 * @param userId the buyer or, where `isParty`, one of the parties, as `buyerThere` yields it; null: any
 * @param order the order's row, which has a user_id and an event_id
 */
export const orderInScope = (userId: string, isParty: string, order: string) => `(
        ${order}.user_id = coalesce(${userId}, ${order}.user_id)
        OR ${isParty} AND ${userId} = (SELECT organizer_id FROM events WHERE events.id = ${order}.event_id)
      )`;
