import { Injectable } from '@nestjs/common';
import { Transactions } from '../database/transactions';
import { WakeUpSender } from '../queue/wake-up-sender';
import { OutboxRepository, type OutboxBacklog } from './outbox.repository';

/** A message as its handler gets it. */
export interface Message<Payload = unknown> {
  /** The same at every attempt: the key under which others must not do it twice. */
  id: number;
  payload: Payload;
  /** 1 for the first. */
  attempt: number;
}

/** Does what a message asks for; when it throws, the message is tried again later. No transaction is open around it. */
export type MessageHandler = (message: Message) => Promise<void>;

/**
 * SQL: adds a message for each row, in the statement of its change. After the commit the caller wakes the relay.
 *
 * @param payload an expression of jsonb
 * @param from where its rows come from
 */
export const addMessages = (topic: string, payload: string, from: string) =>
  `INSERT INTO outbox (topic, payload) SELECT '${topic}', ${payload} FROM ${from}`;

/** Keeps what must happen after a change, from the commit on until it is done, whatever is killed in between. */
@Injectable()
export class OutboxService {
  private readonly handlers = new Map<string, MessageHandler>();

  constructor(
    private readonly repository: OutboxRepository,
    private readonly transactions: Transactions,
    private readonly wakeUps: WakeUpSender,
  ) {}

  /**
   * Adds a message to the open transaction: it is sent when that is committed, and never when it is not.
   *
   * @throws {Error} where no transaction is open
   */
  async add(topic: string, payload: object): Promise<void> {
    if (!this.transactions.runner)
      throw new Error(`A message to ${topic} needs the transaction of its change`);
    await this.repository.insert(topic, payload);
    this.transactions.afterCommit(() => this.wakeUps.wakeRelay());
  }

  /** Names the one handler of a topic. A process without a handler leaves the topic's messages to others. */
  handle(topic: string, handler: MessageHandler): void {
    if (this.handlers.has(topic)) throw new Error(`${topic} has a handler already`);
    this.handlers.set(topic, handler);
  }

  get topics(): string[] {
    return [...this.handlers.keys()];
  }

  handlerOf(topic: string): MessageHandler | undefined {
    return this.handlers.get(topic);
  }

  async countBacklog(): Promise<OutboxBacklog> {
    return await this.repository.countBacklog();
  }
}
