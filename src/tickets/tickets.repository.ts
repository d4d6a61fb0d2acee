import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository, SelectQueryBuilder } from 'typeorm';
import { buyerIn, buyerThere, issuedAtIn, type Scope, type Subject } from '../database/scope';
import { Statements } from '../database/statements';
import { Ticket } from './ticket.entity';

/** A ticket as it is now, by the database's clock. */
export interface TicketView extends Omit<Ticket, 'network'> {
  /** Milliseconds left to pay; 0 when there are none. */
  expiresInMs: number;
}

const BUYER = buyerThere(':buyerId::bigint', ':issuedAt::bigint');

@Injectable()
export class TicketsRepository {
  constructor(
    @InjectRepository(Ticket) private readonly repository: Repository<Ticket>,
    private readonly statements: Statements,
  ) {}

  async findById(id: number, scope: Scope): Promise<TicketView | undefined> {
    return await this.select()
      .where(`ticket.id = :id AND ticket.user_id = coalesce(${BUYER}, ticket.user_id)`, {
        id,
        buyerId: buyerIn(scope),
        issuedAt: issuedAtIn(scope),
      })
      .getRawOne<TicketView>();
  }

  /** Newest first, from behind the ticket `before`. */
  async listByUser({ userId, issuedAt }: Subject, before: number, limit: number): Promise<TicketView[]> {
    const [text, values] = this.select()
      .where(`ticket.user_id = ${BUYER} AND ticket.id < :before`, {
        buyerId: userId,
        issuedAt: issuedAt ?? null,
        before,
      })
      .orderBy('ticket.id', 'DESC')
      .limit(limit)
      .getQueryAndParameters();
    return await this.statements.list<TicketView>({ text }, values);
  }

  /** A hold that is due counts as expired even before anything has released it. */
  private select(): SelectQueryBuilder<Ticket> {
    return this.repository
      .createQueryBuilder('ticket')
      .select('ticket.id', 'id')
      .addSelect('ticket.user_id', 'userId')
      .addSelect('ticket.event_id', 'eventId')
      .addSelect(
        `CASE WHEN ticket.status = 'reserved' AND ticket.expires_at <= now() THEN 'expired' ELSE ticket.status END`,
        'status',
      )
      .addSelect('ticket.created_at', 'createdAt')
      .addSelect('ticket.expires_at', 'expiresAt')
      .addSelect('ticket.paid_at', 'paidAt')
      .addSelect(
        `greatest(0, ceil(extract(epoch FROM ticket.expires_at - now()) * 1000))::int8`,
        'expiresInMs',
      );
  }
}
