import { Injectable } from '@nestjs/common';
import type { OrganizerScope } from '../database/scope';
import { Transactions } from '../database/transactions';
import { MAX_ID } from '../http/fields';
import { isId, ofList, pageOf, sortKeyOf, type Page, type PageQuery } from '../http/page';
import { InventoryService } from '../inventory/inventory.service';
import { invalid, Problem } from '../problems/problem';
import { codeKey, MAX_CODE_KEY } from '../text/code-key';
import { CodesRepository, type CodeView, type LockedCode, type NewCode } from './codes.repository';
import { EventAccessService } from '../event-access/event-access.service';
import { TicketTypesRepository } from './ticket-types.repository';

const MOST_CODES = 1_000;

/** Of a code that has no limit: what PostgreSQL can count. */
export const MOST_USES = 2_147_483_647;

export type CodeFields = Omit<NewCode, 'eventId' | 'quotaId' | 'codeKey'>;

/** A field that is left out stays as it is. */
export type CodeChanges = Partial<CodeFields>;

/** Discounts, and what opens hidden ticket types. The uses of a code are places of a quota, held and sold with the order. */
@Injectable()
export class CodesService {
  constructor(
    private readonly repository: CodesRepository,
    private readonly types: TicketTypesRepository,
    private readonly inventory: InventoryService,
    private readonly access: EventAccessService,
    private readonly transactions: Transactions,
  ) {}

  /** @throws {Problem} `event_not_found`, `forbidden`, `code_taken`, `too_many_in_event`, 422 */
  async create(eventId: number, fields: CodeFields, scope: OrganizerScope): Promise<CodeView> {
    return await this.transactions.run(async () => {
      const { currency } = await this.access.lock(eventId, scope);
      if ((await this.repository.count(eventId)) >= MOST_CODES) throw new Problem('too_many_in_event');
      const codeKey = await this.check(fields, fields, {
        id: null,
        eventId,
        currency,
        ticketTypeIds: null,
      });
      const quotaId = await this.inventory.createQuota(eventId, 'code', fields.maxUses ?? MOST_USES);
      return await this.repository.find(
        await this.repository.insert({ ...fields, eventId, quotaId, codeKey }),
      );
    });
  }

  /** @throws {Problem} `event_not_found`, `forbidden` */
  async listByEvent(eventId: number, scope: OrganizerScope, query: PageQuery): Promise<Page<CodeView>> {
    await this.access.requireOrganizer(eventId, scope);
    const list = ofList(query, 'codes', eventId);
    const [before] = sortKeyOf<[id: number]>(list, isId) ?? [MAX_ID];
    const rows = await this.repository.listByEvent(eventId, before, query.limit + 1);
    return pageOf(rows, list, ({ id }) => [id]);
  }

  /** @throws {Problem} `code_not_found` */
  async get(id: number, scope: OrganizerScope): Promise<CodeView> {
    const code = await this.repository.findOwn(id, scope);
    if (!code) throw new Problem('code_not_found');
    return code;
  }

  /** @throws {Problem} `code_not_found`, `code_taken`, `capacity_in_use`, 422 */
  async update(id: number, changes: CodeChanges, scope: OrganizerScope): Promise<CodeView> {
    return await this.transactions.run(async () => {
      const code = await this.lock(id, scope);
      const codeKey = await this.check({ ...code, ...changes }, changes, code);
      const { maxUses } = changes;
      if (maxUses !== undefined) {
        await this.inventory.changeQuota(code.quotaId, { capacity: maxUses ?? MOST_USES });
      }
      await this.repository.update(id, { ...changes, ...(changes.code !== undefined && { codeKey }) });
      return await this.repository.find(id);
    });
  }

  /**
   * No further order can use it; those that do keep their discount.
   *
   * @throws {Problem} `code_not_found`
   */
  async delete(id: number, scope: OrganizerScope): Promise<void> {
    await this.transactions.run(async () => {
      await this.lock(id, scope);
      await this.repository.delete(id);
    });
  }

  private async lock(id: number, scope: OrganizerScope): Promise<LockedCode> {
    const code = await this.repository.lock(id, scope);
    if (!code) throw new Problem('code_not_found');
    return code;
  }

  /**
   * @param code as it would be
   * @param given what of it is new
   * @param before what it is; the types that it names stay good when they are archived
   * @returns the normal form of the code, where it is new
   * @throws {Problem} `code_taken`, 422
   */
  private async check(
    code: Omit<CodeFields, 'code' | 'ticketTypeIds' | 'maxUses'>,
    given: CodeChanges,
    before: Pick<LockedCode, 'eventId' | 'currency' | 'ticketTypeIds'> & { id: number | null },
  ): Promise<string> {
    const { id, eventId, currency } = before;
    if (code.percentOff !== null && code.amountOff !== null) {
      throw given.amountOff == null
        ? invalid('/percent_off', 'must not come together with amount_off, which may be set to null')
        : invalid('/amount_off', 'must not come together with percent_off, which may be set to null');
    }
    if (given.amountOff != null && currency === null)
      throw invalid('/amount_off', 'needs the currency of the event');
    if (code.validFrom && code.validUntil && code.validUntil <= code.validFrom) {
      throw given.validUntil
        ? invalid('/valid_until', 'must be after valid_from')
        : invalid('/valid_from', 'must be before valid_until');
    }
    const foreign =
      given.ticketTypeIds &&
      (await this.types.findForeign(eventId, given.ticketTypeIds, before.ticketTypeIds ?? []));
    if (foreign != null) throw invalid(`/ticket_type_ids/${foreign}`, 'is no ticket type of this event');
    const key = codeKey(given.code ?? '');
    if (key.length > MAX_CODE_KEY) throw invalid('/code', 'has letters that stand for too many others');
    if (given.code !== undefined && (await this.repository.isTaken(eventId, key, id)))
      throw new Problem('code_taken');
    return key;
  }
}
