import { setTimeout as sleep } from 'node:timers/promises';
import { TEST_ADMIN, tokenOf } from '../../support/tokens';
import { compareBooks } from '../checks/books-check';
import { Balancer } from '../clients/balancer';
import type { HttpAnswer } from '../clients/http';
import { openPaidEvent } from '../fill/paid-event';
import type { Stage } from '../stage';
import type { Fault } from './fault';
import { within, type Finding } from './finding';
import { agreement, codesOf } from './money';

const ORDERS = { full: 10_000, brief: 1_000 };
/** Rounds in which an API and a worker are killed. */
const KILLS = { full: 4, brief: 2 };
const SHOPPERS = 8;
/** Several holds long. */
const RATE_MS = { full: 15_000, brief: 1_000 };
/** The share of their rate that other sales keep. */
const LEAST_RATE = 0.8;
/** Walker and relays rest ten times as long as they work. A message that a killed worker had taken waits for a minute. */
const ENDS_WITHIN_MS = { full: 300_000, brief: 90_000 };
const size = ({ isFull }: Stage, { full, brief }: { full: number; brief: number }) => (isFull ? full : brief);

/** An event is cancelled that very many have paid for, while others are sold. */
export const massRefund: Fault = {
  name: 'money-cancellation',
  family: 'money',
  about:
    'an event of 10,000 paid orders is cancelled: kill -9 of APIs and workers, a provider that fails one call in ten and is out of money for a while',
  strike: async (stage) => {
    const { apis, workers, postgres, sandbox } = stage.system;
    if (!sandbox) throw new Error('This needs the sandbox');
    await stage.waitForReleases();
    const balancer = new Balancer(apis.map(({ url }) => url));
    const send = async (method: 'GET' | 'POST', path: string) => {
      const token = tokenOf(TEST_ADMIN.id, 'admin');
      const delivery = await balancer.send(0, { method, path, token });
      return 'answer' in delivery ? delivery.answer : undefined;
    };
    try {
      const count = size(stage, ORDERS);
      const event = await openPaidEvent(postgres, stage.market.users, count);
      const state = async () =>
        (await send('GET', `/events/${event}/cancellation`))?.body as State | undefined;
      const cancel = async () => await send('POST', `/events/${event}/cancel`);
      const untilState = (status: string) =>
        stage.until(async () => (await state())?.status === status, size(stage, ENDS_WITHIN_MS));

      // The first seconds end no holds yet, and their processes have just begun.
      await rateOf(stage);
      const quiet = await rateOf(stage);
      const begun = performance.now();
      const answer = await cancel();
      const beside = await rateOf(stage);
      const [seen, afterMs] = [await state(), performance.now() - begun];
      const kill = async (round: number) => {
        const [api, worker] = [apis[round % 2], workers[round % 2]] as const;
        await Promise.all([api?.current.stop('SIGKILL'), worker?.current.stop('SIGKILL')]);
        await Promise.all([api?.start(), worker?.start()]);
      };
      await sandbox.set({ fail_one_in: 10, balance_exhausted: true });
      await kill(0);
      const left = await state();
      if (!stage.isFull) await endLeases(stage);
      await untilState('stuck');
      const stuck = await state();
      await sandbox.set({ balance_exhausted: false });
      const resumed = await cancel();
      for (let round = 1; round < size(stage, KILLS); round++) {
        await stage.wait(1_000, 200);
        await kill(round);
      }
      if (!stage.isFull) await endLeases(stage);
      const took = await untilState('done');
      await sandbox.set({ fail_one_in: 0 });
      const books = await compareBooks(postgres, new Set(), await codesOf(stage));
      return [
        { mustHold: 'cancelling: 202', measured: statusOf(answer), isOk: answer?.status === 202 },
        {
          mustHold: `sales of other events keep ${LEAST_RATE} of their quiet rate while money is given back`,
          measured: `${(beside / quiet).toFixed(2)}: ${beside.toFixed(0)}/s beside, ${quiet.toFixed(0)}/s quiet; ${seen?.refunds_done} given back in ${(afterMs / 1_000).toFixed(1)} s`,
          // A brief stretch tells nothing.
          isOk: !stage.isFull || beside / quiet >= LEAST_RATE,
        },
        {
          mustHold: 'processes are killed in the midst',
          measured: `${left?.refunds_done} of ${count} given back then`,
          isOk: left?.status === 'running' || !stage.isFull,
        },
        {
          mustHold: 'stuck says why, and what to do',
          measured: stuck?.detail ?? stuck?.status ?? 'no answer',
          isOk: /failed, most of them for .+ send the cancellation again/.test(stuck?.detail ?? ''),
        },
        {
          mustHold: 'cancelling again goes on: 202',
          measured: statusOf(resumed),
          isOk: resumed?.status === 202,
        },
        within('all is given back', took, size(stage, ENDS_WITHIN_MS)),
        await onceEach(stage, event, count),
        agreement(books),
      ];
    } finally {
      await sandbox.set({ fail_one_in: 0, balance_exhausted: false });
      balancer.close();
    }
  },
};

interface State {
  status: 'running' | 'done' | 'stuck';
  refunds_done: number;
  detail?: string;
}

const statusOf = (answer: HttpAnswer | undefined) => String(answer?.status ?? 'no answer');

/** Reservations a second of events that are not cancelled. */
async function rateOf(stage: Stage): Promise<number> {
  const end = performance.now() + size(stage, RATE_MS);
  let made = 0;
  const shop = async (shopper: number) => {
    while (performance.now() < end) {
      if ((await stage.reserve(shopper % 2)).outcome === 'ok') made++;
      else await sleep(5);
    }
  };
  await Promise.all(Array.from({ length: SHOPPERS }, (_, i) => shop(i)));
  return (made * 1_000) / size(stage, RATE_MS);
}

/** As if the minute had gone by for which a killed worker has its messages. */
async function endLeases({ system }: Stage): Promise<void> {
  await system.postgres.sql('UPDATE outbox SET due_at = now() WHERE NOT is_dead AND due_at > now()');
}

/** By the books of the sandbox. */
async function onceEach({ system }: Stage, event: number, count: number): Promise<Finding> {
  const [row] = await system.postgres.sql<Record<'refunds' | 'payments' | 'kept' | 'orders', number>>(
    `SELECT (SELECT count(*)::int FROM orders WHERE event_id = ${event} AND status = 'refunded' AND amount_refunded = amount_paid) AS orders,
      count(refund.id)::int AS refunds, count(DISTINCT refund.payment)::int AS payments,
      (SELECT sum(taken - refunded)::int FROM sandbox.payments WHERE id IN (SELECT provider_payment FROM payments WHERE event_id = ${event})) AS kept
     FROM payments JOIN sandbox.refunds AS refund ON refund.payment = provider_payment AND refund.status = 'succeeded'
     WHERE event_id = ${event}`,
  );
  return {
    mustHold: 'each order is refunded once, in full',
    measured: `${row?.orders} orders, ${row?.refunds} refunds of ${row?.payments} payments, ${row?.kept} kept`,
    isOk: row?.orders === count && row.refunds === count && row.payments === count && row.kept === 0,
  };
}
