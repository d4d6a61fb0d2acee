import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { User } from './user.entity';

export type NewUser = Omit<User, 'id' | 'role' | 'passwordHash' | 'createdAt'>;

/** What signing in takes. */
export type Account = Pick<User, 'id' | 'role' | 'passwordHash'>;

@Injectable()
export class UsersRepository {
  constructor(@InjectRepository(User) private readonly repository: Repository<User>) {}

  /** @throws a violation of `USERS_EMAIL_KEY` when the e-mail is taken */
  async insert(user: NewUser, passwordHash: string | null): Promise<User> {
    const entity = this.repository.create({ ...user, passwordHash });
    return await this.repository.save(entity, { transaction: false });
  }

  async findById(id: number): Promise<User | null> {
    return await this.repository.findOneBy({ id });
  }

  /** Makes an admin, or promotes the account that has the e-mail, and ends all of its sessions. */
  async putAdmin(email: string, passwordHash: string): Promise<void> {
    await this.repository.query(
      `WITH admin AS (
        INSERT INTO users (name, email, role, password_hash) VALUES ('Admin', $1, 'admin', $2)
        ON CONFLICT (lower(email)) DO UPDATE SET role = 'admin', password_hash = excluded.password_hash
        RETURNING id
      )
      DELETE FROM sessions WHERE user_id IN (SELECT id FROM admin)`,
      [email, passwordHash],
    );
  }

  /** @param email in letters of any case */
  async findAccount(email: string): Promise<Account | null> {
    return await this.repository
      .createQueryBuilder('user')
      .select(['user.id', 'user.role', 'user.passwordHash'])
      .where('lower(user.email) = lower(:email)', { email })
      .getOne();
  }
}
