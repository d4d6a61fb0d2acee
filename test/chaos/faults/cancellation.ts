import { tokenOf } from '../../support/tokens';
import type { Offer } from '../clients/box-office';
import type { Stage } from '../stage';
import type { Member } from '../system/system';
import type { Fault } from './fault';
import { within, type Finding } from './finding';

/** The walker rests ten times as long as it works. A message that a killed worker had taken is taken over after a minute. */
const ENDS_WITHIN_MS = { full: 120_000, brief: 60_000 };

const killInCancellation: Fault = {
  name: 'kill-in-cancellation',
  family: 'kill',
  about: 'kill -9 of the API and of both workers in the midst of the cancellation of an event; started again',
  strike: async (stage) => {
    const { apis, workers, postgres } = stage.system;
    const doomed = await stage.market.openDoomed();
    await stage.wait(1_500);
    const cancel = (api: Member) => cancelBy(stage, api, doomed);
    const state = () => stateOf(stage, doomed);

    const lost = cancel(apis[0]).catch(() => undefined);
    await stage.until(async () => (await state()) !== undefined);
    await apis[0].current.stop('SIGKILL');
    await lost;
    const again = await cancel(apis[1]);
    const [{ answered }] = (await postgres.sql<{ answered: Date }>(
      'SELECT clock_timestamp() AS answered',
    )) as [{ answered: Date }];
    await stage.until(async () => ((await state())?.seen ?? 0) > 0);
    await Promise.all(workers.map((worker) => worker.current.stop('SIGKILL')));
    const left = await state();
    await Promise.all([apis[0], ...workers].map((member) => member.start()));
    if (!stage.isFull) await endLeases(stage);
    const took = await stage.until(
      async () => (await state())?.isDone === true,
      stage.isFull ? ENDS_WITHIN_MS.full : ENDS_WITHIN_MS.brief,
    );
    stage.market.forgetDoomed();
    return [
      { mustHold: 'asked again: 202', measured: String(again.status), isOk: again.status === 202 },
      {
        mustHold: 'killed in the midst',
        measured: left?.isDone === false ? `after order ${left.seen}` : 'it had ended',
        isOk: left?.isDone === false && left.seen > 0,
      },
      within('the cancellation ends', took, stage.isFull ? ENDS_WITHIN_MS.full : ENDS_WITHIN_MS.brief),
      ...(await whatIsLeft(stage, doomed, answered)),
    ];
  },
};

export const CANCELLATIONS: readonly Fault[] = [killInCancellation];

const cancelBy = (stage: Stage, api: Member, { event }: Offer) =>
  stage.ask(api, {
    method: 'POST',
    path: `/events/${event}/cancel`,
    token: tokenOf(stage.market.organizer),
  });

/** How far the cancellation has come; undefined before it has begun. */
async function stateOf(stage: Stage, { event }: Offer) {
  const [row] = await stage.system.postgres.sql<{ seen: number; isDone: boolean }>(
    `SELECT last_order_id::float8 AS seen, done_at IS NOT NULL AS "isDone" FROM event_cancellations WHERE event_id = ${event}`,
  );
  return row;
}

/** As if the minute had gone by for which a killed worker has its messages. */
async function endLeases({ system }: Stage): Promise<void> {
  await system.postgres.sql('UPDATE outbox SET due_at = now() WHERE NOT is_dead AND due_at > now()');
}

async function whatIsLeft({ system, history }: Stage, { event }: Offer, answered: Date): Promise<Finding[]> {
  const [row] = await system.postgres.sql<Record<'late' | 'live' | 'counted', number>>(
    `SELECT count(*) FILTER (WHERE created_at > '${answered.toISOString()}')::int AS late,
      count(*) FILTER (WHERE status IN ('held', 'paid'))::int AS live,
      (SELECT sum(held + sold)::int FROM quotas WHERE event_id = ${event}) AS counted
     FROM orders WHERE event_id = ${event}`,
  );
  const wishes = history.calls.filter((call) => call.event === event && call.action === 'reserve');
  const [made, refused] = [
    wishes.filter(({ outcome }) => outcome === 'ok').length,
    wishes.filter(({ code }) => code === 'event_not_published').length,
  ];
  return [
    {
      mustHold: 'not one order made after the answer',
      measured: `${row?.late} made, ${made} before, ${refused} refused`,
      isOk: row?.late === 0 && made > 0 && refused > 0,
    },
    {
      mustHold: 'no order is left, and no place or use is counted',
      measured: `${row?.live} orders, ${row?.counted} counted`,
      isOk: row?.live === 0 && row.counted === 0,
    },
  ];
}
