import { Injectable } from '@nestjs/common';
import { buyerIn, issuedAtIn, type OrderScope, type Subject } from '../database/scope';
import { Statements } from '../database/statements';
import type { OrderStatus } from '../inventory/order-status';
import type { OrderView } from './order-view';
import {
  EXPORTED_ORDERS,
  FIND_ORDER,
  FIND_PARTIES,
  LIST_BY_IDS,
  LIST_BY_USER,
  SEARCHED_ORDERS,
} from './orders.statements';

/** What a search of an event's orders goes by. */
export interface SearchedOrder {
  id: number;
  status: OrderStatus;
  contactName: string | null;
  contactEmail: string | null;
  buyerEmail: string | null;
}

/** What a table of orders shows. */
export interface ExportedOrder extends SearchedOrder {
  userId: number;
  places: number;
  total: number;
  discount: number;
  amountPaid: number;
  amountRefunded: number;
  currency: string | null;
  createdAt: Date;
  expiresAt: Date;
  paidAt: Date | null;
}

/** What somebody is to an order. */
export interface Parties {
  isBuyer: boolean;
  isOrganizer: boolean;
}

/** An order in a list, with how many there were for its page. */
export type ListedOrder = OrderView & { found: number };

@Injectable()
export class OrdersRepository {
  constructor(private readonly statements: Statements) {}

  async find(id: number, scope: OrderScope): Promise<OrderView | undefined> {
    const values = [id, buyerIn(scope), issuedAtIn(scope), scope.by === 'party'];
    const [order] = await this.statements.run<OrderView>(FIND_ORDER, values);
    return order;
  }

  async findParties(id: number, { userId, issuedAt }: Subject): Promise<Parties | undefined> {
    const [parties] = await this.statements.run<Parties>(FIND_PARTIES, [id, userId, issuedAt ?? null]);
    return parties;
  }

  /** Newest first, from behind the order `before`; fewer than `limit` where they are long. */
  async listByUser({ userId, issuedAt }: Subject, before: number, limit: number): Promise<ListedOrder[]> {
    return await this.statements.list<ListedOrder>(LIST_BY_USER, [userId, issuedAt ?? null, before, limit]);
  }

  /** Newest first; fewer than there are where they are long. */
  async listByIds(ids: readonly number[]): Promise<ListedOrder[]> {
    return await this.statements.list<ListedOrder>(LIST_BY_IDS, [ids]);
  }

  /** Newest first, from behind the order `before`. */
  async search(eventId: number, before: number, limit: number): Promise<SearchedOrder[]> {
    return await this.statements.list<SearchedOrder>(SEARCHED_ORDERS, [eventId, before, limit]);
  }

  /** Newest first, from behind the order `before`. */
  async export(eventId: number, before: number, limit: number): Promise<ExportedOrder[]> {
    return await this.statements.list<ExportedOrder>(EXPORTED_ORDERS, [eventId, before, limit]);
  }
}
