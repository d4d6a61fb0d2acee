import { AccessTokens } from '../../src/auth/access-tokens';
import type { Role } from '../../src/auth/caller';

/** What every API of the tests signs with. */
export const TEST_SECRET = 'what-the-tests-sign-their-tokens-with';

/** The admin that every test database has, so that ids of other users begin at 1. */
export const TEST_ADMIN = { id: 4_000_000_000_000, email: 'admin@tixxety.test' };

const tokens = new AccessTokens([TEST_SECRET]);

/** An access token as if its user had signed in. */
export const tokenOf = (userId: number, role: Role = 'user') =>
  tokens.sign({ userId, role, createdAt: new Date(0) });
