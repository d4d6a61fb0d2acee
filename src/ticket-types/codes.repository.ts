import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import type { OrganizerScope } from '../database/scope';
import { Statements } from '../database/statements';
import { Code } from './code.entity';
import {
  COUNT_CODES,
  FIND_CODE,
  FIND_OWN_CODE,
  FIND_TAKEN_CODE,
  LIST_CODES,
  LOCK_CODE,
} from './codes.statements';
import { valuesOf } from '../event-access/event-access.service';

export type NewCode = Omit<Code, 'id' | 'deletedAt' | 'createdAt'>;

/** A code with its uses. */
export type CodeView = Omit<Code, 'quotaId' | 'codeKey' | 'deletedAt'> & { held: number; sold: number };

/** What a change of a code is decided on. */
export type LockedCode = Pick<
  Code,
  'id' | 'eventId' | 'quotaId' | 'percentOff' | 'amountOff' | 'validFrom' | 'validUntil' | 'ticketTypeIds'
> & { currency: string | null };

@Injectable()
export class CodesRepository {
  constructor(
    @InjectRepository(Code) private readonly repository: Repository<Code>,
    private readonly statements: Statements,
  ) {}

  /** @returns the code's id */
  async insert(code: NewCode): Promise<number> {
    const { id } = await this.repository.save(this.repository.create(code), { transaction: false });
    return id;
  }

  async update(id: number, changes: Partial<Code>): Promise<void> {
    if (Object.keys(changes).length > 0) await this.repository.update({ id }, changes);
  }

  async delete(id: number): Promise<void> {
    await this.repository.update({ id }, { deletedAt: () => 'now()' });
  }

  async find(id: number): Promise<CodeView> {
    const [code] = await this.statements.run<CodeView>(FIND_CODE, [id]);
    return code as CodeView;
  }

  /** @returns undefined where it is no code of an event of the organizer */
  async findOwn(id: number, scope: OrganizerScope): Promise<CodeView | undefined> {
    return (await this.statements.run<CodeView>(FIND_OWN_CODE, [id, ...valuesOf(scope)]))[0];
  }

  /** Newest first, from behind `before` on. */
  async listByEvent(eventId: number, before: number, limit: number): Promise<CodeView[]> {
    return await this.statements.list<CodeView>(LIST_CODES, [eventId, before, limit]);
  }

  async count(eventId: number): Promise<number> {
    const [counted] = await this.statements.run<{ number: number }>(COUNT_CODES, [eventId]);
    return counted?.number ?? 0;
  }

  /** @param id of the code that may have it */
  async isTaken(eventId: number, key: string, id: number | null): Promise<boolean> {
    return (await this.statements.run(FIND_TAKEN_CODE, [eventId, key, id])).length > 0;
  }

  /** Locks a code of the organizer, and its event, until the transaction ends. */
  async lock(id: number, scope: OrganizerScope): Promise<LockedCode | undefined> {
    const [code] = await this.statements.run<LockedCode>(LOCK_CODE, [id, ...valuesOf(scope)]);
    return code;
  }
}
