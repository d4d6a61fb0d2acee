import { createHash, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AccessTokens } from '../auth/access-tokens';
import type { Account, Caller } from '../auth/caller';
import { Passwords } from '../auth/passwords';
import { RefreshTokens, sessionOf } from '../auth/refresh-tokens';
import { invalidCredentials } from '../auth/unauthenticated';
import type { Scope, Subject } from '../database/scope';
import { Transactions } from '../database/transactions';
import { isTime, ofList, pageOf, sortKeyOf, type Page, type PageQuery } from '../http/page';
import type { Network } from '../http/network';
import { invalid, Problem } from '../problems/problem';
import { GuessLimit } from '../rate-limit/guess-limit';
import { emailKey } from '../text/email';
import { GUESSABLE, isGuessable } from '../text/guessable';
import { SessionsRepository, type SessionKey, type SessionView } from './sessions.repository';
import { UsersRepository, type Login } from './users.repository';

export type { Login };

/** From the sign-in on, however often the token is renewed. */
const SESSION_SECONDS = 30 * 86_400;

/** Behind no session: where the first page starts. */
const BEHIND_NONE: SessionKey = ['infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff'];

export interface Tokens {
  userId: number;
  accessToken: string;
  /** Good once, for the next two tokens. */
  refreshToken?: string;
}

/** A password that may take the place of the one that was compared. */
export interface PasswordChange {
  userId: number;
  passwordHash: string;
  nextHash: string;
}

@Injectable()
export class SessionsService {
  constructor(
    private readonly repository: SessionsRepository,
    private readonly users: UsersRepository,
    private readonly passwords: Passwords,
    private readonly accessTokens: AccessTokens,
    private readonly refreshTokens: RefreshTokens,
    private readonly guesses: GuessLimit,
    private readonly transactions: Transactions,
  ) {}

  /** An access token alone, for an account that can't sign in again. */
  issueAccessToken(account: Account): Tokens {
    return { userId: account.userId, accessToken: this.accessTokens.sign(account) };
  }

  /**
   * @param passwordHash the session begins only if this is still the account's; null: in any case
   * @throws {Problem} `invalid_credentials`
   */
  async begin(account: Account, passwordHash: string | null = null): Promise<Tokens> {
    const id = randomUUID();
    const refreshToken = this.refreshTokens.issue(id);
    const { userId } = account;
    const hash = hashOf(refreshToken);
    const hasBegun = await this.transactions.run(() =>
      this.repository.insert(id, userId, passwordHash, hash, SESSION_SECONDS),
    );
    if (!hasBegun) throw invalidCredentials();
    return { userId, accessToken: this.accessTokens.sign(account, id), refreshToken };
  }

  /**
   * @param gone when it is aborted, no password is compared any more
   * @throws {Problem} `invalid_credentials`, as late where there is no such e-mail as where there is; `rate_limited`,
   *   `overloaded`
   */
  async authenticate(email: string, password: string, from: Network, gone: AbortSignal): Promise<Login> {
    return await this.guesses.guess(emailKey(email), from, async () => {
      const login = await this.users.findLogin(email);
      const isRight = await this.passwords.verify(login?.passwordHash, password, gone);
      if (!login || !isRight) throw invalidCredentials();
      return login;
    });
  }

  /**
   * An account whose password was right before, as it is now.
   *
   * @returns undefined where it has another password since, or is no more
   */
  async recall({ email, passwordHash }: Login): Promise<Login | undefined> {
    const login = await this.users.findLogin(email);
    return login?.passwordHash === passwordHash ? login : undefined;
  }

  /**
   * Compares the caller's password and hashes the next one: what takes long, and what Redis counts.
   *
   * @param gone as for `authenticate`
   * @throws {Problem} `invalid_credentials`, `password_not_set`, `user_not_found`, `rate_limited`, `overloaded`, 422 at
   *   `/new` for a password that a guesser tries first
   */
  async preparePasswordChange(
    caller: Caller,
    current: string,
    next: string,
    gone: AbortSignal,
  ): Promise<PasswordChange> {
    const { userId } = caller;
    const login = await this.users.findLoginOf(caller);
    if (!login) throw new Problem('user_not_found');
    const { passwordHash } = login;
    if (passwordHash === null) throw new Problem('password_not_set');
    // Holders of a token guess here, and can't be told from its owner: from wherever they come, they count as one.
    const holder = `user ${userId}`;
    await this.guesses.guess(holder, { address: holder }, async () => {
      if (!(await this.passwords.verify(passwordHash, current, gone))) throw invalidCredentials();
    });
    if (isGuessable(next, [login.name, login.email])) throw invalid('/new', GUESSABLE);
    return { userId, passwordHash, nextHash: await this.passwords.hash(next, gone) };
  }

  /**
   * Changes the password, and ends all sessions but the one the caller's access token was issued in.
   *
   * @throws {Problem} `invalid_credentials` when the password is another one by now
   */
  async changePassword(
    { userId, passwordHash, nextHash }: PasswordChange,
    sessionId: string | undefined,
  ): Promise<void> {
    await this.transactions.run(async () => {
      if (!(await this.users.updatePassword(userId, passwordHash, nextHash))) throw invalidCredentials();
      // A statement of its own: it sees the sessions that others began before this one got the lock on the account.
      await this.repository.deleteOthers(userId, sessionId);
    });
  }

  /** The user's live sessions, newest first. */
  async listByUser(subject: Subject, query: PageQuery): Promise<Page<SessionView>> {
    const list = ofList(query, 'sessions', subject.userId);
    const before = sortKeyOf<SessionKey>(list, isTime, isSessionId) ?? BEHIND_NONE;
    const rows = await this.repository.listByUser(subject, before, query.limit + 1);
    if (rows.length === 0 && !(await this.users.find(subject))) throw new Problem('user_not_found');
    return pageOf(rows, list, ({ expiresAt, id }) => [expiresAt.toISOString(), id]);
  }

  /** @throws {Problem} `session_not_found` */
  async endById(id: string, scope: Scope): Promise<void> {
    if (!(await this.repository.delete(id, scope))) throw new Problem('session_not_found');
  }

  /**
   * Renews the tokens. A refresh token that comes a second time has been stolen, or its first use was theft: the caller
   * then ends the session, for both.
   *
   * @throws {Problem} `invalid_credentials`
   */
  async renew(refreshToken: string): Promise<Tokens> {
    const id = sessionOf(refreshToken);
    if (id === undefined) throw invalidCredentials();
    const next = this.refreshTokens.issue(id);
    const account = await this.repository.rotate(id, hashOf(refreshToken), hashOf(next));
    if (!account) throw invalidCredentials();
    const accessToken = this.accessTokens.sign(account, id);
    return { userId: account.userId, accessToken, refreshToken: next };
  }

  /** Ends the session of a refresh token, even of a used one; never by a token that we did not issue. */
  async end(refreshToken: string): Promise<void> {
    const id = sessionOf(refreshToken);
    if (id === undefined) return;
    await this.repository.deleteByToken(id, hashOf(refreshToken), this.refreshTokens.isIssued(refreshToken));
  }
}

const SESSION_ID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

const isSessionId = (part: unknown): part is string => typeof part === 'string' && SESSION_ID.test(part);

/** Plain SHA-256 will do: a random token can't be guessed. */
const hashOf = (refreshToken: string) => createHash('sha256').update(refreshToken).digest();
