import { Injectable } from '@nestjs/common';
import { Passwords } from '../auth/passwords';
import { invalid, Problem } from '../problems/problem';
import { GUESSABLE, isGuessable } from '../text/guessable';
import type { Subject } from '../database/scope';
import { violatedConstraint } from '../database/database-error';
import { EMAIL_INDEXES, User } from './user.entity';
import { UsersRepository, type NewUser, type UserChanges } from './users.repository';

@Injectable()
export class UsersService {
  constructor(
    private readonly repository: UsersRepository,
    private readonly passwords: Passwords,
  ) {}

  /**
   * @param gone when it is aborted, nothing is hashed any more
   * @throws {Problem} `overloaded`, 422 at `/password` for one that a guesser tries first
   */
  async hashPassword(user: NewUser, password: string, gone: AbortSignal): Promise<string> {
    if (isGuessable(password, [user.name, user.email])) throw invalid('/password', GUESSABLE);
    return await this.passwords.hash(password, gone);
  }

  /**
   * @param passwordHash null: the account can't sign in again
   * @throws {Problem} `email_taken`
   */
  async create(user: NewUser, passwordHash: string | null): Promise<User> {
    try {
      return await this.repository.insert(user, passwordHash);
    } catch (error) {
      // Asking first would lose the race against another sign-up; the unique index never does.
      throw EMAIL_INDEXES.includes(violatedConstraint(error)) ? new Problem('email_taken') : error;
    }
  }

  /** @throws {Problem} `user_not_found` */
  async update(subject: Subject, changes: UserChanges): Promise<User> {
    const user = await this.repository.update(subject, changes);
    if (!user) throw new Problem('user_not_found');
    return user;
  }

  /** @throws {Problem} `user_not_found` */
  async get(subject: Subject): Promise<User> {
    const user = await this.repository.find(subject);
    if (!user) throw new Problem('user_not_found');
    return user;
  }

  /** Whether the account was there when its token was issued. */
  async isThere(subject: Subject): Promise<boolean> {
    return (await this.repository.find(subject)) !== null;
  }
}
