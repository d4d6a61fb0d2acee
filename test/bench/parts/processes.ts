import { cpus } from 'node:os';
import { LONG_HOLD } from '../bench';
import { ratio } from '../figure';
import { throttled } from '../harness/throttle';
import { interleave, median } from '../measure';
import type { Part } from '../part';
import { echo, reserve } from '../windows';

const EVENTS = 50;
const TWO = { WEB_CONCURRENCY: '2' };
/** Of a core, for each process: PostgreSQL and the load have room beside two of them on two cores. */
const SHARE = 0.35;

/**
 * A second process is worth something only where the machine has a core for it: hence the same of bare Express, and of
 * processes that leave room on two cores. These show whether locks keep them from each other.
 */
export const processes: Part = {
  name: 'processes',
  about: 'reservations of 50 hot events by two API processes and by one, beside two bare Expresses and one',
  run: async (bench) => {
    const site = await bench.few();
    const [one, two] = [site.api, await bench.startApi(site.database, { ...LONG_HOLD, ...TWO })];
    const [bare, bareTwo] = [await bench.bareExpress(), await bench.startExpress(TWO)];
    // Each of the two gets half of the requests that warm one up.
    await reserve(bench, site, { seconds: bench.terms.seconds, events: EVENTS, target: two });
    const idle: number[] = [];
    const measured = await interleave(
      bench.terms,
      {
        'one process': async (seconds) => {
          const before = cpuTimes();
          const result = await reserve(bench, site, { seconds, events: EVENTS, target: one });
          idle.push(idleSince(before));
          return result;
        },
        'two processes': (seconds) => reserve(bench, site, { seconds, events: EVENTS, target: two }),
        'one slow process': (seconds) =>
          throttled(one.pid, SHARE, () => reserve(bench, site, { seconds, events: EVENTS, target: one })),
        'two slow processes': (seconds) =>
          throttled(two.pid, SHARE, () => reserve(bench, site, { seconds, events: EVENTS, target: two })),
        'one bare Express': (seconds) => echo(bench, seconds, bare),
        'two bare Expresses': (seconds) => echo(bench, seconds, bareTwo),
      },
      bench.tell,
    );
    await two.stop();
    await bareTwo.stop();
    const gain = ratio(measured['two processes'].perSecond, measured['one process'].perSecond, '/s');
    const slowGain = ratio(
      measured['two slow processes'].perSecond,
      measured['one slow process'].perSecond,
      '/s',
    );
    const ceiling = ratio(
      measured['two bare Expresses'].perSecond,
      measured['one bare Express'].perSecond,
      '/s',
    );
    return {
      figures: [
        {
          name: 'reservations/s of 50 hot events, two API processes ÷ one',
          ...gain,
          good: 'above',
          atLeast: 1,
          reachFor: 1.3,
        },
        {
          name: `the same, each process held to ${SHARE * 100} % of a core, so that the machine is no bound`,
          ...slowGain,
          good: 'above',
          atLeast: 1.3,
        },
      ],
      measurements: measured,
      notes: [
        `Two bare Expresses answer ${ceiling.value.toFixed(2)} times as much as one: API, PostgreSQL and the load share the cores.`,
        `Beside one process ${median(idle).toFixed(0)} % of the cores are idle, which is all that a second one can add.`,
      ],
    };
  },
};

/** What all cores have spent together, in milliseconds. */
function cpuTimes() {
  const times = cpus().map((core) => core.times);
  const sum = (pick: (time: (typeof times)[number]) => number) =>
    times.reduce((total, time) => total + pick(time), 0);
  return {
    idle: sum(({ idle }) => idle),
    all: sum(({ user, nice, sys, idle, irq }) => user + nice + sys + idle + irq),
  };
}

/** In percent. */
function idleSince(before: ReturnType<typeof cpuTimes>): number {
  const now = cpuTimes();
  return (100 * (now.idle - before.idle)) / (now.all - before.all);
}
