import type { Call } from '../clients/history';
import type { Member } from '../system/system';
import type { Fault } from './fault';
import { within, type Finding } from './finding';

const EXIT_WITHIN_MS = 10_000;

const sigterm: Fault = {
  name: 'sigterm',
  family: 'rollout',
  about: 'SIGTERM to an API in the midst of requests; started again after a while',
  strike: async (stage) => {
    const api = stage.random.pick(stage.system.apis);
    const exits: Exit[] = [];
    const calls = await stage.callsWhile(async () => {
      exits.push(await end(api));
      await stage.wait(3_000, 500);
      await api.start();
    });
    return [noneDropped(calls), exited(exits)];
  },
};

const rollingRestart: Fault = {
  name: 'rolling-restart',
  family: 'rollout',
  about: 'every process is replaced, one after the other',
  strike: async (stage) => {
    const { members } = stage.system;
    const exits: Exit[] = [];
    let calls: Call[] = [];
    const overdue = await stage.mostOverdueWhile(async () => {
      calls = await stage.callsWhile(async () => {
        for (const member of members) {
          exits.push(await end(member));
          await member.start();
        }
      });
    });
    return [
      noneDropped(calls),
      exited(exits),
      within('holds end', overdue, 2_000),
      await stage.bullTakesOver(),
    ];
  },
};

export const ROLLOUT_FAULTS: readonly Fault[] = [sigterm, rollingRestart];

interface Exit {
  ms: number;
  code: number | null;
}

async function end(member: Member): Promise<Exit> {
  const begun = performance.now();
  const { code } = await member.current.stop('SIGTERM');
  return { ms: performance.now() - begun, code };
}

function exited(exits: readonly Exit[]): Finding {
  const finding = within('exit', Math.max(...exits.map(({ ms }) => ms)), EXIT_WITHIN_MS);
  const codes = exits.map(({ code }) => code);
  return {
    ...finding,
    measured: `${finding.measured}, exit code ${codes.join(', ')}`,
    isOk: finding.isOk && codes.every((code) => code === 0),
  };
}

/** A client that is refused a connection goes to the other API; a client that has one gets an answer. */
function noneDropped(calls: readonly Call[]): Finding {
  const dropped = calls.filter(({ outcome }) => outcome === 'unknown');
  const why = [...new Set(dropped.map(({ status, error }) => String(status ?? error)))];
  return {
    mustHold: 'no request dropped',
    measured: `${dropped.length} of ${calls.length}${why.length > 0 ? ` (${why.join(', ')})` : ''}`,
    isOk: dropped.length === 0 && calls.length > 0,
  };
}
