import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { TicketType } from './ticket-type.entity';

export type NewTicketType = Pick<TicketType, 'eventId' | 'name' | 'quotaIds'> & Partial<TicketType>;

@Injectable()
export class TicketTypesRepository {
  constructor(@InjectRepository(TicketType) private readonly repository: Repository<TicketType>) {}

  async insert(type: NewTicketType): Promise<TicketType> {
    return await this.repository.save(this.repository.create(type), { transaction: false });
  }
}
