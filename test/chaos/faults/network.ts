import { durations, type Call } from '../clients/history';
import type { Stage } from '../stage';
import type { FaultProxy } from '../../support/fault-proxy';
import type { Fault } from './fault';
import { within, type Finding } from './finding';

/** The API whose way to PostgreSQL is a proxy. */
const CUT_OFF = 1;
/** A machine that others share may be late by itself. */
const ANSWER_WITHIN_MS = { full: 3_000, brief: 4_000 };
const HEALED_WITHIN_MS = 2_000;
/** More than the pool has connections. */
const CROWD = 30;

const delay: Fault = {
  name: 'network-delay',
  family: 'network',
  about: 'the network between an API and PostgreSQL takes 100 ms longer in each direction',
  strike: (stage) => whileBroken(stage, (proxy) => proxy.delay(100)),
};

const reset: Fault = {
  name: 'network-reset',
  family: 'network',
  about: 'all connections between an API and PostgreSQL are reset, again and again',
  strike: (stage) =>
    whileBroken(stage, (proxy) => {
      const timer = setInterval(() => proxy.reset(), 150);
      return () => clearInterval(timer);
    }),
};

const halfOpen: Fault = {
  name: 'network-half-open',
  family: 'network',
  about: 'PostgreSQL is gone for the connections that an API has, and the API is not told; new ones pass',
  strike: (stage) => whileBroken(stage, (proxy) => proxy.leaveHalfOpen()),
};

const stall: Fault = {
  name: 'network-stall',
  family: 'network',
  about: 'nothing comes through between an API and PostgreSQL, and neither is told',
  strike: (stage) => whileBroken(stage, (proxy) => proxy.freeze()),
};

const cut: Fault = {
  name: 'network-cut',
  family: 'network',
  about: 'connections between an API and PostgreSQL break, and new ones are refused',
  strike: (stage) => whileBroken(stage, (proxy) => proxy.cut()),
};

export const NETWORK_FAULTS: readonly Fault[] = [delay, reset, halfOpen, stall, cut];

/** @param strike what it returns is called before the proxy is mended */
async function whileBroken(stage: Stage, strike: (proxy: FaultProxy) => unknown): Promise<Finding[]> {
  const { proxy } = stage.system;
  const struck = await stage.callsWhile(async () => {
    const end = await strike(proxy);
    const crowd = Array.from({ length: CROWD }, () => stage.reserve(CUT_OFF));
    await stage.wait(8_000, 3_500);
    await Promise.all(crowd);
    if (typeof end === 'function') (end as () => void)();
  });
  await proxy.heal();
  const healed = await stage.until(async () => (await stage.reserve(CUT_OFF)).outcome === 'ok');
  const others = struck.filter(({ api }) => api !== CUT_OFF);
  return [
    within('an answer', slowest(struck), stage.isFull ? ANSWER_WITHIN_MS.full : ANSWER_WITHIN_MS.brief),
    answered(struck),
    {
      mustHold: 'the other API goes on',
      measured: `${others.filter(isUnknown).length} of ${others.length} failed`,
      isOk: others.length > 0 && !others.some(isUnknown),
    },
    within('healed', healed, HEALED_WITHIN_MS),
  ];
}

const slowest = (calls: readonly Call[]) => Math.max(0, ...durations(calls));
const isUnknown = ({ outcome }: Call) => outcome === 'unknown';

/** The count of seats afterwards wants a `Retry-After` of each 503, and knows of no other failure. */
function answered(calls: readonly Call[]): Finding {
  const silent = calls.filter(({ status }) => status === undefined);
  const failed = calls.filter(({ status }) => status === 503);
  return {
    mustHold: 'an answer to everybody, or 503 with Retry-After',
    measured: `${failed.length} of ${calls.length} got 503, ${silent.length} none`,
    isOk: silent.length === 0,
  };
}
