import { Injectable } from '@nestjs/common';
import { TicketTypesRepository } from './ticket-types.repository';

/** Of an event that is made without types. */
const ONLY_TYPE = 'Ticket';

@Injectable()
export class TicketTypesService {
  constructor(private readonly repository: TicketTypesRepository) {}

  /** Gives a new event its one free type, in the transaction that creates the event. */
  async createOnlyType(eventId: number, eventQuotaId: number): Promise<void> {
    await this.repository.insert({ eventId, name: ONLY_TYPE, quotaIds: [eventQuotaId] });
  }
}
