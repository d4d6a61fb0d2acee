import { TEST_ADMIN, tokenOf } from '../../support/tokens';

/** Well before the tokens end. */
const RENEW_MS = 600_000;

/** Signing takes longer than sending, so each is signed once. */
const kept = new Map<number, string>();
let signedSince = performance.now();

/** An access token of a user, as if they had signed in a while ago. */
export const userToken = (userId: number) => keep(userId, () => tokenOf(userId));

export const adminToken = () => keep(TEST_ADMIN.id, () => tokenOf(TEST_ADMIN.id, 'admin'));

function keep(userId: number, sign: () => string): string {
  if (performance.now() - signedSince > RENEW_MS) {
    kept.clear();
    signedSince = performance.now();
  }
  let token = kept.get(userId);
  if (token === undefined) kept.set(userId, (token = sign()));
  return token;
}
