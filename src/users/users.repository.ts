import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { User } from './user.entity';

export type NewUser = Omit<User, 'id' | 'createdAt'>;

@Injectable()
export class UsersRepository {
  constructor(@InjectRepository(User) private readonly repository: Repository<User>) {}

  /** @throws a violation of `USERS_EMAIL_KEY` when the e-mail is taken */
  async insert(user: NewUser): Promise<User> {
    return await this.repository.save(this.repository.create(user), { transaction: false });
  }

  async findById(id: number): Promise<User | null> {
    return await this.repository.findOneBy({ id });
  }
}
