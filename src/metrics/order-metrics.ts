import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Counter, Histogram, Registry } from 'prom-client';
import type {
  HeldOrder,
  HoldRefusal,
  HoldRequest,
  ResolvedOrder,
  ResolveRequest,
} from '../inventory/held-order';
import type { OrderStatus } from '../inventory/order-status';
import { Problem } from '../problems/problem';
import {
  batches,
  ordersEnded,
  releases,
  settledPayments,
  type Batch,
  type EndedOrders,
  type PaymentOutcome,
  type Release,
} from '../telemetry/channels';

/** What an order may become here; `refunded` is the ledger's. */
const STATUSES = ['held', 'paid', 'expired', 'cancelled'] satisfies OrderStatus[];

/** Why an order is refused, by the code of the problem. A number that is not allowed fails the validation. */
const REFUSALS: Record<
  Exclude<HoldRefusal, 'quantity_not_allowed' | 'order_too_large' | 'outdated'> | 'validation_failed',
  true
> = {
  user_not_found: true,
  event_not_found: true,
  event_not_published: true,
  event_ended: true,
  event_sold_out: true,
  ticket_type_required: true,
  ticket_type_not_found: true,
  ticket_type_not_on_sale: true,
  ticket_type_sold_out: true,
  code_not_valid: true,
  code_used_up: true,
  ticket_limit_reached: true,
  hold_limit_reached: true,
  network_hold_limit_reached: true,
  hold_cool_down: true,
  validation_failed: true,
};

interface Placed {
  requests: readonly HoldRequest[];
  result?: (HeldOrder | Error | undefined)[];
}

interface Resolved {
  requests: readonly ResolveRequest[];
  result?: (ResolvedOrder | Error | string)[];
}

/** What becomes of orders, how large they are, and why they are refused. A single ticket is an order of one. */
@Injectable()
export class OrderMetrics implements OnModuleInit, OnModuleDestroy {
  private readonly orders: Counter;
  private readonly size: Histogram;
  private readonly refusals: Counter;

  constructor(registry: Registry) {
    this.orders = new Counter({
      name: 'tixxety_orders_total',
      help: 'Orders that became held, paid, expired or cancelled, by that status; those of one ticket, too',
      labelNames: ['status'],
      registers: [registry],
    });
    this.size = new Histogram({
      name: 'tixxety_order_tickets',
      help: 'Tickets of an order that was placed',
      buckets: [1, 2, 3, 4, 6, 8, 10, 20, 50, 100],
      registers: [registry],
    });
    this.refusals = new Counter({
      name: 'tixxety_order_refusals_total',
      help: 'Orders that were not placed, by the code of the problem (/docs/errors)',
      labelNames: ['code'],
      registers: [registry],
    });
    // Series that are there from the beginning let `rate()` see the first event too.
    for (const status of STATUSES) this.orders.inc({ status }, 0);
    for (const code of Object.keys(REFUSALS)) this.refusals.inc({ code }, 0);
  }

  onModuleInit(): void {
    subscribe(batches.asyncEnd.name, this.countBatch);
    subscribe(releases.name, this.countReleased);
    subscribe(ordersEnded.name, this.countEnded);
    subscribe(settledPayments.name, this.countBought);
  }

  onModuleDestroy(): void {
    unsubscribe(batches.asyncEnd.name, this.countBatch);
    unsubscribe(releases.name, this.countReleased);
    unsubscribe(ordersEnded.name, this.countEnded);
    unsubscribe(settledPayments.name, this.countBought);
  }

  private readonly countBatch = (message: unknown) => {
    const { name } = message as Batch;
    if (name === 'place_holds') this.countPlaced(message as Placed);
    else if (name === 'resolve_holds') this.countResolved(message as Resolved);
  };

  /** Requests that another statement will answer have no outcome here, and those answered before are counted already. */
  private countPlaced({ requests, result = [] }: Placed): void {
    let held = 0;
    for (const [i, outcome] of result.entries()) {
      if (outcome === undefined || requests[i]?.claim?.replayOf !== undefined) continue;
      if (!(outcome instanceof Error)) {
        held++;
        this.size.observe(outcome.places);
      } else if (outcome instanceof Problem && outcome.code in REFUSALS)
        this.refusals.inc({ code: outcome.code });
    }
    if (held > 0) this.orders.inc({ status: 'held' }, held);
  }

  private countResolved({ requests, result = [] }: Resolved): void {
    const numbers = { paid: 0, cancelled: 0 };
    for (const [i, outcome] of result.entries()) {
      if (typeof outcome === 'string' || outcome instanceof Error) continue;
      if (requests[i]?.claim?.replayOf === undefined) numbers[outcome.status as keyof typeof numbers]++;
    }
    for (const [status, number] of Object.entries(numbers)) {
      if (number > 0) this.orders.inc({ status }, number);
    }
  }

  /** Money of a provider that bought its order. */
  private readonly countBought = (message: unknown) => {
    const { status, refundCause } = message as PaymentOutcome;
    if (status === 'succeeded' && refundCause === null) this.orders.inc({ status: 'paid' });
  };

  private readonly countReleased = (message: unknown) => {
    this.orders.inc({ status: 'expired' }, (message as Release).lateSeconds.length);
  };

  private readonly countEnded = (message: unknown) => {
    const { status, number } = message as EndedOrders;
    this.orders.inc({ status }, number);
  };
}
