import type { Statement } from '../../src/database/statements';
import { eventById } from '../../src/events/events.statements';
import { BEGIN_PAYMENTS } from '../../src/inventory/begin-payments.statement';
import { DELETE_EXPIRED_KEYS, FIND_KEY } from '../../src/idempotency/idempotency.repository';
import {
  RELEASE_DUE_HOLDS,
  RELEASE_DUE_HOLDS_OF_EVENTS,
} from '../../src/inventory/release-due-holds.statements';
import { REFUND_ORDER } from '../../src/inventory/refund-order.statement';
import { RESOLVE_HOLDS, RESOLVE_KEYED_HOLDS } from '../../src/inventory/resolve-holds.statement';
import { FIND_PAYMENTS } from '../../src/inventory/find-payments.statement';
import { SETTLE_PAYMENTS } from '../../src/inventory/settle-payments.statement';
import { SETTLE_REFUNDS } from '../../src/inventory/settle-refund.statements';
import { CLAIM_TO_ASK } from '../../src/payments/payments.statements';
import { LIST_SESSIONS } from '../../src/users/sessions.repository';
import { COLLECTOR } from './large-database';

/** When a token was issued: later than all accounts. */
export const NOW = Math.floor(Date.now() / 1_000) + 600;
const KEY = Buffer.alloc(32, 7);
const KEYS = `'{"\\\\x${KEY.toString('hex')}"}'`;
const LAST_UUID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** One by the order, one by its only ticket. */
const RESOLUTIONS = Object.values({
  orderIds: [1, null],
  ticketIds: [null, 2],
  targets: ['paid', 'cancelled'],
  buyerIds: [1, null],
  issuedAt: [NOW, null],
  tenders: [null, null],
  references: [null, null],
  leftOut: [],
  patience: 100,
  isParty: [false, true],
});
const RESOLUTIONS_LITERAL = `'{1,NULL}', '{NULL,2}', '{paid,cancelled}', '{1,NULL}', '{${NOW},NULL}', '{NULL,NULL}', '{NULL,NULL}', '{}', 100,
  '{f,t}'`;
const TO_SETTLE = ['events_pkey', 'orders_pkey', 'quotas_pkey', 'tickets_pkey', 'users_pkey'];

/** What providers say of payments, and which of them are begun. */
const SAID_OF_REFUND = JSON.stringify([{ n: 1, id: 10, attempt: 1, status: 'succeeded' }]);
const SAID = JSON.stringify([
  {
    n: 1,
    provider: 'sandbox',
    payment_id: 1,
    order_id: 1,
    provider_payment: 'pay_1',
    word: 'succeeded',
    amount: 100,
  },
]);
const SPOKEN_OF = JSON.stringify([{ n: 1, provider: 'sandbox', provider_payment: 'pay_1', event: 'evt_1' }]);
const BEGUN = JSON.stringify([{ n: 1, order_id: 1, buyer_id: 1, issued_at: NOW, method: 'ok' }]);

/** Statements and what stands behind their parameters, as values and as EXECUTE takes them. */
export const STATEMENTS: [string, Statement, values: unknown[], literals: string, indexes: string[]][] = [
  [
    'an event',
    eventById,
    [5_000, COLLECTOR, NOW],
    `5000, ${COLLECTOR}, ${NOW}`,
    ['events_pkey', 'quotas_event_idx', 'users_pkey'],
  ],
  ['settling', RESOLVE_HOLDS, RESOLUTIONS, RESOLUTIONS_LITERAL, TO_SETTLE],
  [
    'settling with keys',
    RESOLVE_KEYED_HOLDS,
    [...RESOLUTIONS, [1], [KEY], [KEY], ['request']],
    `${RESOLUTIONS_LITERAL}, '{1}', ${KEYS}, ${KEYS}, '{request}'`,
    TO_SETTLE,
  ],
  [
    'what a provider says of a payment',
    SETTLE_PAYMENTS,
    [SAID, [], 100],
    `'${SAID}', '{}', 100`,
    [
      'events_pkey',
      'orders_pkey',
      'payments_pkey',
      'quotas_pkey',
      'refunds_order_id_id_idx',
      'tickets_order_id_idx',
    ],
  ],
  [
    'beginning a payment',
    BEGIN_PAYMENTS,
    [BEGUN, 'sandbox', 100],
    `'${BEGUN}', 'sandbox', 100`,
    ['events_pkey', 'orders_pkey', 'users_pkey'],
  ],
  [
    'the payments that a provider speaks of',
    FIND_PAYMENTS,
    [SPOKEN_OF],
    `'${SPOKEN_OF}'`,
    ['payments_pkey', 'payments_provider_payment_idx', 'provider_events_pkey', 'refunds_pkey'],
  ],
  [
    'beginning a refund',
    REFUND_ORDER,
    [1, 1, NOW, null, null, null, false, 'organizer'],
    `1, 1, ${NOW}, NULL, NULL, NULL, false, 'organizer'`,
    [
      'codes_pkey',
      'events_pkey',
      'orders_pkey',
      'payments_order_id_idx',
      'payments_pkey',
      'quotas_pkey',
      'ticket_types_pkey',
      'tickets_order_id_idx',
      'tickets_pkey',
      'users_pkey',
    ],
  ],
  [
    'what a provider says of a refund',
    SETTLE_REFUNDS,
    [SAID_OF_REFUND],
    `'${SAID_OF_REFUND}'`,
    ['orders_pkey', 'refunds_pkey'],
  ],
  [
    'open payments to be asked about',
    CLAIM_TO_ASK,
    ['sandbox', 20],
    `'sandbox', 20`,
    ['orders_pkey', 'payments_ask_idx', 'payments_pkey'],
  ],
  ['finding what is kept under a key', FIND_KEY, [[KEY]], KEYS, ['idempotency_keys_pkey']],
  [
    'forgetting keys',
    DELETE_EXPIRED_KEYS,
    [1_000],
    '1000',
    ['idempotency_keys_expires_at_idx', 'idempotency_keys_pkey'],
  ],
  [
    'the sessions of a user',
    LIST_SESSIONS,
    [1, 'infinity', LAST_UUID, 51, NOW],
    `1, 'infinity', '${LAST_UUID}', 51, ${NOW}`,
    ['sessions_user_id_expires_at_id_idx', 'users_pkey'],
  ],
  [
    'releasing',
    RELEASE_DUE_HOLDS,
    [1_000, '-infinity', [], 100],
    `1000, '-infinity', '{}', 100`,
    ['orders_due_idx', 'orders_pkey', 'quotas_pkey'],
  ],
  [
    'releasing for events',
    RELEASE_DUE_HOLDS_OF_EVENTS,
    [[1, 2], 1_000, ['-infinity', '-infinity'], [], 100],
    `'{1,2}', 1000, '{-infinity,-infinity}', '{}', 100`,
    ['orders_event_due_idx', 'orders_pkey', 'quotas_event_idx', 'quotas_pkey'],
  ],
];
