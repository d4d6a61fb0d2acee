import { Injectable } from '@nestjs/common';
import { Problem } from '../common/problem';
import { violatedUnique } from '../database/database-error';
import { User, USERS_EMAIL_KEY } from './user.entity';
import { UsersRepository, type NewUser } from './users.repository';

@Injectable()
export class UsersService {
  constructor(private readonly repository: UsersRepository) {}

  /** @throws {Problem} `email_taken` */
  async create(user: NewUser): Promise<User> {
    try {
      return await this.repository.insert(user);
    } catch (error) {
      // Asking first would lose the race against another sign-up; the unique index never does.
      throw violatedUnique(error) === USERS_EMAIL_KEY ? new Problem('email_taken') : error;
    }
  }

  /** @throws {Problem} `user_not_found` */
  async get(id: number): Promise<User> {
    const user = await this.repository.findById(id);
    if (!user) throw new Problem('user_not_found');
    return user;
  }
}
