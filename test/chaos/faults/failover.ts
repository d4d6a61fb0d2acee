import type { Call } from '../clients/history';
import type { Stage } from '../stage';
import type { Fault } from './fault';
import { within, type Finding } from './finding';

const NOTICED_WITHIN_MS = 2_000;
const BACK_WITHIN_MS = 2_000;

const readOnly: Fault = {
  name: 'postgres-read-only',
  family: 'failover',
  about: 'PostgreSQL takes no writes any more, as a primary that has become a standby, then does again',
  strike: async (stage) => {
    await setReadOnly(stage, 'on');
    const noticed = await stage.until(() => areReady(stage, 503));
    const refused = await stage.callsWhile(() => stage.wait(6_000, 2_000));
    await setReadOnly(stage, 'off');
    const back = await stage.untilAllReserve();
    const ready = await stage.until(() => areReady(stage, 200));
    return [
      within('not ready', noticed, NOTICED_WITHIN_MS),
      allRefused(refused),
      within('reservations again', back, BACK_WITHIN_MS),
      within('ready again', ready, BACK_WITHIN_MS),
    ];
  },
};

export const FAILOVER_FAULTS: readonly Fault[] = [readOnly];

/** Of the whole server, for the connections there are too, at once. */
async function setReadOnly(stage: Stage, value: 'on' | 'off'): Promise<void> {
  const { postgres } = stage.system;
  await postgres.sql(`ALTER SYSTEM SET default_transaction_read_only = ${value}`);
  await postgres.sql('SELECT pg_reload_conf()');
}

async function areReady(stage: Stage, status: number): Promise<boolean> {
  const answers = await Promise.all(stage.system.apis.map((api) => stage.readiness(api)));
  return answers.every((answer) => answer?.status === status);
}

/** (The count afterwards wants a `Retry-After` of each 503, and knows of no other failure.) */
function allRefused(calls: readonly Call[]): Finding {
  const failed = calls.filter(({ status }) => status === 503);
  const silent = calls.filter(({ status }) => status === undefined);
  return {
    mustHold: '503 with Retry-After to who books meanwhile, an answer to all',
    measured: `${failed.length} of ${calls.length} got 503, ${silent.length} none`,
    isOk: failed.length > 0 && silent.length === 0,
  };
}
