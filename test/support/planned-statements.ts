import type { Statement } from '../../src/database/statements';
import { eventById } from '../../src/events/events.statements';
import { DELETE_EXPIRED_KEYS, FIND_KEY } from '../../src/idempotency/idempotency.repository';
import { PLACE_HOLDS, PLACE_KEYED_HOLDS } from '../../src/inventory/place-holds.statement';
import {
  RELEASE_DUE_HOLDS,
  RELEASE_DUE_HOLDS_OF_EVENTS,
} from '../../src/inventory/release-due-holds.statements';
import { REFUND_ORDER } from '../../src/inventory/refund-order.statement';
import { RESOLVE_HOLDS, RESOLVE_KEYED_HOLDS } from '../../src/inventory/resolve-holds.statement';
import { SETTLE_PAYMENT } from '../../src/inventory/settle-payment.statement';
import { SETTLE_REFUND } from '../../src/inventory/settle-refund.statements';
import { BEGIN_PAYMENT } from '../../src/payments/begin-payment.statement';
import { CLAIM_TO_ASK } from '../../src/payments/payments.statements';
import { LIST_SESSIONS } from '../../src/users/sessions.repository';
import { COLLECTOR } from './large-database';

/** When a token was issued: later than all accounts. */
export const NOW = Math.floor(Date.now() / 1_000) + 600;
const KEY = Buffer.alloc(32, 7);
const KEYS = `'{"\\\\x${KEY.toString('hex')}"}'`;
const LAST_UUID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** One of the event's only type, one with a code of the type that is named. */
const ORDERS = Object.values({
  userIds: [1, 2],
  eventIds: [3, 4],
  issuedAt: [NOW, null],
  codes: [null, 'friends'],
  contactNames: [null, null],
  contactEmails: [null, null],
  metadata: [null, null],
  items: [1, 2],
  at: [0, 0],
  before: [0, 0],
  typeIds: [null, 4],
  numbers: [1, 2],
  attendees: [null, null],
  policy: 120,
  limit: 10,
  coolDown: 600,
  patience: 100,
  since: [0, null],
  networks: [1, null],
  networkLimit: 500,
});
const ORDERS_LITERAL = `'{1,2}', '{3,4}', '{${NOW},NULL}', '{NULL,friends}', '{NULL,NULL}', '{NULL,NULL}', '{NULL,NULL}',
  '{1,2}', '{0,0}', '{0,0}', '{NULL,4}', '{1,2}', '{NULL,NULL}', 120, 10, 600, 100, '{0,NULL}', '{1,NULL}', 500`;
const TO_RESERVE = [
  'codes_event_id_code_key_idx',
  'events_pkey',
  'orders_event_due_idx',
  'quotas_pkey',
  'ticket_types_event_idx',
  'ticket_types_pkey',
  'users_pkey',
];

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

/** Statements and what stands behind their parameters, as values and as EXECUTE takes them. */
export const STATEMENTS: [string, Statement, values: unknown[], literals: string, indexes: string[]][] = [
  [
    'an event',
    eventById,
    [5_000, COLLECTOR, NOW],
    `5000, ${COLLECTOR}, ${NOW}`,
    ['events_pkey', 'quotas_event_idx', 'users_pkey'],
  ],
  ['reserving', PLACE_HOLDS, ORDERS, ORDERS_LITERAL, TO_RESERVE],
  ['settling', RESOLVE_HOLDS, RESOLUTIONS, RESOLUTIONS_LITERAL, TO_SETTLE],
  [
    'reserving with keys',
    PLACE_KEYED_HOLDS,
    [...ORDERS, [1], [KEY], [KEY], ['request'], true],
    `${ORDERS_LITERAL}, '{1}', ${KEYS}, ${KEYS}, '{request}', true`,
    TO_RESERVE,
  ],
  [
    'settling with keys',
    RESOLVE_KEYED_HOLDS,
    [...RESOLUTIONS, [1], [KEY], [KEY], ['request']],
    `${RESOLUTIONS_LITERAL}, '{1}', ${KEYS}, ${KEYS}, '{request}'`,
    TO_SETTLE,
  ],
  [
    'what a provider says of a payment',
    SETTLE_PAYMENT,
    ['sandbox', 'pay_1', null, 'succeeded', 100, 'EUR', null, null, 'evt_1'],
    `'sandbox', 'pay_1', NULL, 'succeeded', 100, 'EUR', NULL, NULL, 'evt_1'`,
    [
      'events_pkey',
      'orders_pkey',
      'payments_pkey',
      'payments_provider_payment_idx',
      'quotas_pkey',
      'refunds_order_id_id_idx',
      'tickets_order_id_idx',
    ],
  ],
  [
    'beginning a payment',
    BEGIN_PAYMENT,
    [1, 1, NOW, 'sandbox', 'ok', null, null],
    `1, 1, ${NOW}, 'sandbox', 'ok', NULL, NULL`,
    ['events_pkey', 'orders_pkey', 'users_pkey'],
  ],
  [
    'beginning a refund',
    REFUND_ORDER,
    [1, 1, NOW, null, null, null, false],
    `1, 1, ${NOW}, NULL, NULL, NULL, false`,
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
    SETTLE_REFUND,
    [10, 1, 'succeeded', null, null],
    `10, 1, 'succeeded', NULL, NULL`,
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
