import type { Stage } from '../stage';
import { canMount, fillUp, makeRoom } from '../system/small-disk';
import type { Fault } from './fault';
import { within, type Finding } from './finding';

const BACK_WITHIN_MS = 5_000;

const diskFull: Fault = {
  name: 'disk-full',
  family: 'disk',
  about: 'the disk of PostgreSQL is full, then there is room again',
  obstacle: () => (canMount() ? undefined : 'only root may mount the small file system that this takes'),
  strike: async (stage) => {
    const { apis, postgres, smallDisk = '' } = stage.system;
    const before = apis.map(({ current }) => current.pid);
    await fillUp(smallDisk);
    const noticed = await stage.until(async () => (await sayWhy(stage)) === apis.length, 20_000);
    const refused = await stage.callsWhile(() => stage.wait(5_000, 1_500));
    const isUp = await postgres.isReady();
    await makeRoom(smallDisk);
    await postgres.supervise((why) => stage.say(`  killed: ${why}`));
    const back = await stage.untilAllReserve();
    const ready = await stage.until(async () => (await areReady(stage)) === apis.length);
    const full = refused.filter(({ status }) => status === 503);
    return [
      {
        mustHold: 'readiness says so',
        measured: `${(noticed / 1_000).toFixed(1)} s; PostgreSQL ${isUp ? 'goes on' : 'has stopped'}`,
        isOk: noticed < 20_000,
      },
      {
        mustHold: '503 to who books meanwhile',
        measured: `${full.length} of ${refused.length}`,
        isOk: full.length > 0,
      },
      within('reservations again', back, BACK_WITHIN_MS),
      within('ready again', ready, BACK_WITHIN_MS),
      sameProcesses(
        before,
        apis.map(({ current }) => current.pid),
      ),
    ];
  },
};

export const DISK_FAULTS: readonly Fault[] = [diskFull];

/** Or that PostgreSQL is gone, where it stopped before anybody could ask. */
async function sayWhy(stage: Stage): Promise<number> {
  const { apis, postgres } = stage.system;
  const isUp = await postgres.isReady();
  const answers = await Promise.all(apis.map((api) => stage.readiness(api)));
  return answers.filter(
    (answer) => answer?.status === 503 && (!isUp || JSON.stringify(answer.body).includes('disk is full')),
  ).length;
}

async function areReady(stage: Stage): Promise<number> {
  const answers = await Promise.all(stage.system.apis.map((api) => stage.readiness(api)));
  return answers.filter((answer) => answer?.status === 200).length;
}

const sameProcesses = (before: number[], after: number[]): Finding => ({
  mustHold: 'no restart',
  measured: `processes ${after.join(', ')}`,
  isOk: before.join() === after.join(),
});
