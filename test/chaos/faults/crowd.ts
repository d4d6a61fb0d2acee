import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { durations, type Call } from '../clients/history';
import { p99Of, type Stage } from '../stage';
import type { Fault } from './fault';
import { within, type Finding } from './finding';

const CLIENTS = 500;
const ROUNDS = { full: 5, brief: 2 };
const SLOW_READERS = 50;
const IDLE = 5_000;
/** What else a process has open. */
const OTHER_FILES = 500;
/** No answer takes longer than the database is given for one, and its turn before. */
const BOUND_MS = 5_000;

const rush: Fault = {
  name: 'rush',
  family: 'crowd',
  about: '500 clients come at once, to an API with ten connections to PostgreSQL',
  strike: async (stage) => {
    const rounds = stage.isFull ? ROUNDS.full : ROUNDS.brief;
    const answers: Call[] = [];
    const others = await stage.callsWhile(async () => {
      for (let round = 0; round < rounds; round++) {
        answers.push(...(await Promise.all(Array.from({ length: CLIENTS }, (_, i) => come(stage, i)))));
      }
    });
    const silent = answers.filter(({ status }) => status === undefined);
    const failed = answers.filter(({ outcome, code }) => outcome === 'unknown' || code === 'rate_limited');
    return [
      within('each of them answered', Math.max(...durations(answers)), BOUND_MS),
      {
        mustHold: 'no hang, no connection dropped',
        measured: `${silent.length} of ${answers.length} without an answer, ${failed.length} told to come again`,
        isOk: silent.length === 0,
      },
      within('others served', p99Of(others), BOUND_MS),
    ];
  },
};

/** Half of them reserve, some with a key, which takes a connection for itself; the rest look. */
async function come(stage: Stage, i: number): Promise<Call> {
  if (i % 4 === 0) return await stage.reserve(0, randomUUID());
  return i % 4 === 1 ? await stage.reserve(0) : await stage.list(0);
}

const slowReader: Fault = {
  name: 'slow-reader',
  family: 'crowd',
  about: '50 clients ask for long lists and read nothing of them',
  strike: async (stage) => {
    const [api] = stage.system.apis;
    const request = 'GET /events/?limit=200 HTTP/1.1\r\nHost: tixxety\r\n\r\n'.repeat(4);
    const sockets = await openSockets(api.url, SLOW_READERS);
    for (const socket of sockets) socket.pause().write(request);
    const served = await stage.callsWhile(() => stage.wait(10_000, 2_500));
    const findings = [allServed(served), within('others served', p99Of(served), 1_000)];
    close(sockets);
    return findings;
  },
};

const idle: Fault = {
  name: 'idle-connections',
  family: 'crowd',
  about: '5,000 clients connect and say nothing',
  obstacle: () => {
    const limit = openFileLimit();
    return limit < IDLE + OTHER_FILES
      ? `a process may have ${limit} files open here (ulimit -Hn) and this takes ${IDLE + OTHER_FILES}`
      : undefined;
  },
  strike: async (stage) => {
    const [api] = stage.system.apis;
    const sockets = await openSockets(api.url, IDLE);
    const served = await stage.callsWhile(() => stage.wait(10_000, 2_000));
    const { status } = await stage.ask(api, { method: 'GET', path: '/health/live' });
    const open = sockets.filter(({ readyState }) => readyState === 'open').length;
    close(sockets);
    return [
      { mustHold: 'all of them let in', measured: `${open} are open`, isOk: open === IDLE || !stage.isFull },
      { mustHold: 'one more is answered', measured: String(status), isOk: status === 200 },
      allServed(served),
      within('others served', p99Of(served), 1_000),
    ];
  },
};

export const CROWD_FAULTS: readonly Fault[] = [rush, slowReader, idle];

function allServed(calls: readonly Call[]): Finding {
  const failed = calls.filter(({ outcome }) => outcome === 'unknown').length;
  return {
    mustHold: 'nobody else notices',
    measured: `${failed} of ${calls.length} failed`,
    isOk: failed === 0 && calls.length > 0,
  };
}

async function openSockets(url: string, count: number): Promise<Socket[]> {
  const { hostname, port } = new URL(url);
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    // No more at once than a server that is busy has room for in its queue of new connections.
    const some = Array.from({ length: Math.min(100, count - sockets.length) }, () =>
      connect(Number(port), hostname).on('error', () => undefined),
    );
    await Promise.all(some.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')])));
    sockets.push(...some);
  }
  return sockets;
}

function close(sockets: readonly Socket[]): void {
  for (const socket of sockets) socket.destroy();
}

/** Node takes as many as it may have. */
function openFileLimit(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const [, hard = '0'] = /Max open files +\S+ +(\S+)/.exec(limits) ?? [];
  return hard === 'unlimited' ? Infinity : Number(hard);
}
