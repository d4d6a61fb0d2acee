import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AccessTokens } from '../auth/access-tokens';
import type { Caller } from '../auth/caller';
import { Passwords } from '../auth/passwords';
import { invalidCredentials } from '../auth/refusals';
import { SessionsRepository } from './sessions.repository';
import { UsersRepository } from './users.repository';

/** From the sign-in on, however often the token is renewed. */
const SESSION_SECONDS = 30 * 86_400;

export interface Tokens {
  accessToken: string;
  /** Good once, for the next two tokens. */
  refreshToken?: string;
}

@Injectable()
export class SessionsService {
  constructor(
    private readonly repository: SessionsRepository,
    private readonly users: UsersRepository,
    private readonly passwords: Passwords,
    private readonly accessTokens: AccessTokens,
  ) {}

  /** An access token alone, for an account that can't sign in again. */
  issueAccessToken(caller: Caller): Tokens {
    return { accessToken: this.accessTokens.sign(caller) };
  }

  async begin(caller: Caller): Promise<Tokens> {
    const id = randomUUID();
    const refreshToken = newRefreshToken(id);
    await this.repository.insert(id, caller.userId, hashOf(refreshToken), SESSION_SECONDS);
    return { accessToken: this.accessTokens.sign(caller), refreshToken };
  }

  /** @throws {Problem} as `authenticate` does */
  async signIn(email: string, password: string): Promise<Tokens> {
    return await this.begin(await this.authenticate(email, password));
  }

  /** @throws {Problem} `invalid_credentials`, as late where there is no such e-mail as where there is; `overloaded` */
  async authenticate(email: string, password: string): Promise<Caller> {
    const account = await this.users.findAccount(email);
    const isRight = await this.passwords.verify(account?.passwordHash, password);
    if (!account || !isRight) throw invalidCredentials();
    return { userId: account.id, role: account.role };
  }

  /**
   * Renews the tokens. A refresh token that comes a second time has been stolen, or its first use was theft: the session
   * ends for both.
   *
   * @throws {Problem} `invalid_credentials`
   */
  async renew(refreshToken: string): Promise<Tokens> {
    const id = sessionOf(refreshToken);
    if (id === undefined) throw invalidCredentials();
    const next = newRefreshToken(id);
    const caller = await this.repository.rotate(id, hashOf(refreshToken), hashOf(next));
    if (caller) return { accessToken: this.accessTokens.sign(caller), refreshToken: next };
    await this.repository.delete(id);
    throw invalidCredentials();
  }

  /** Ends the session of a refresh token, even of a used one. */
  async end(refreshToken: string): Promise<void> {
    const id = sessionOf(refreshToken);
    if (id !== undefined) await this.repository.delete(id);
  }
}

/** 32 random bytes behind the id of the session, which no one else gets to know. */
const newRefreshToken = (id: string) => `${id}.${randomBytes(32).toString('base64url')}`;

const sessionOf = (refreshToken: string): string | undefined => REFRESH_TOKEN.exec(refreshToken)?.[1];

const REFRESH_TOKEN = /^([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})\.[\w-]{43}$/;

/** Plain SHA-256 will do: a random token can't be guessed. */
const hashOf = (refreshToken: string) => createHash('sha256').update(refreshToken).digest();
