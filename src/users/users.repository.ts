import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, type Repository, type SelectQueryBuilder } from 'typeorm';
import type { Account } from '../auth/caller';
import { wasThere, type Subject } from '../database/scope';
import { Transactions } from '../database/transactions';
import { emailKey } from '../text/email';
import { User } from './user.entity';

export type NewUser = Omit<User, 'id' | 'emailKey' | 'role' | 'passwordHash' | 'createdAt'>;

/** What a user may change; what is left out stays as it is. */
export type UserChanges = Partial<
  Pick<User, 'name' | 'locationAddress' | 'locationLatitude' | 'locationLongitude'>
>;

/** What signing in takes. */
export interface Login extends Account {
  name: string;
  email: string;
  passwordHash: string | null;
}

@Injectable()
export class UsersRepository {
  constructor(
    @InjectRepository(User) private readonly repository: Repository<User>,
    private readonly transactions: Transactions,
  ) {}

  /** @throws a violation of one of `EMAIL_INDEXES` when the e-mail is taken */
  async insert(user: NewUser, passwordHash: string | null): Promise<User> {
    const entity = this.repository.create({ ...user, emailKey: emailKey(user.email), passwordHash });
    return await this.repository.save(entity, { transaction: false });
  }

  async find(subject: Subject): Promise<User | null> {
    return await this.repository.findOneBy(conditionsOf(subject));
  }

  /** @returns the user as they are then; null when there is no such user */
  async update(subject: Subject, changes: UserChanges): Promise<User | null> {
    if (Object.keys(changes).length > 0)
      await this.transactions.run(() => this.repository.update(conditionsOf(subject), changes));
    return await this.find(subject);
  }

  /** @returns false when the user has another password by now */
  async updatePassword(id: number, oldHash: string, newHash: string): Promise<boolean> {
    const { affected } = await this.repository.update(
      { id, passwordHash: oldHash },
      { passwordHash: newHash },
    );
    return affected === 1;
  }

  /**
   * Makes an admin, or promotes the account that has the e-mail.
   *
   * @returns the admin's id
   */
  async putAdmin(email: string, passwordHash: string): Promise<number> {
    const [admin] = await this.repository.query<[{ id: number }]>(
      `INSERT INTO users (name, email, email_key, role, password_hash) VALUES ('Admin', $1, $2, 'admin', $3)
      ON CONFLICT (email_key) DO UPDATE SET role = 'admin', password_hash = excluded.password_hash
      RETURNING id`,
      [email, emailKey(email), passwordHash],
    );
    return admin.id;
  }

  /** @param email in any spelling */
  async findLogin(email: string): Promise<Login | undefined> {
    return await this.selectLogin()
      .where('user.email_key = :key', { key: emailKey(email) })
      .getRawOne<Login>();
  }

  async findLoginOf({ userId, issuedAt }: Subject): Promise<Login | undefined> {
    const isTheirs = `user.id = :userId AND ${wasThere('user.created_at', ':issuedAt::bigint')}`;
    return await this.selectLogin()
      .where(isTheirs, { userId, issuedAt: issuedAt ?? null })
      .getRawOne<Login>();
  }

  private selectLogin(): SelectQueryBuilder<User> {
    return this.repository
      .createQueryBuilder('user')
      .select('user.id', 'userId')
      .addSelect('user.name', 'name')
      .addSelect('user.email', 'email')
      .addSelect('user.role', 'role')
      .addSelect('user.created_at', 'createdAt')
      .addSelect('user.password_hash', 'passwordHash');
  }
}

const conditionsOf = ({ userId, issuedAt }: Subject) =>
  issuedAt === undefined
    ? { id: userId }
    : { id: userId, createdAt: LessThan(new Date((issuedAt + 1) * 1_000)) };
