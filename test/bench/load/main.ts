import { setTimeout as sleep } from 'node:timers/promises';
import { HttpLane } from './http-lane';
import type { Command, Job } from './job';
import { requestsOf, type Lane, type Request } from './requests';
import { SqlLane } from './sql-lane';
import { Tally } from './tally';

/** The load process: does one job after the other as it is told, and answers each with what came of it. */
let tally = new Tally();
let isStopped = false;

process.on('message', (command: Command) => {
  if (command.do === 'start') void run(command.job).then((result) => process.send?.(result));
  if (command.do === 'mark') tally.mark();
  if (command.do === 'stop') {
    isStopped = true;
    tally.stop();
  }
});

async function run(job: Job) {
  tally = new Tally();
  isStopped = false;
  const lanes = await Promise.all(Array.from({ length: job.connections }, (_, i) => openLane(job.target, i)));
  const next = requestsOf(job.requests);
  const turn = paceOf(job.perSecond);
  await Promise.all(lanes.map((lane) => drive(lane, next, turn)));
  const result = tally.result();
  await Promise.all(lanes.map((lane) => lane.close()));
  return result;
}

async function openLane(target: Job['target'], number: number): Promise<Lane> {
  return 'url' in target
    ? new HttpLane(new URL(target.url), addressOf(number))
    : await SqlLane.open(target.databaseUrl, target.statement);
}

/** Clients have addresses of their own, and limits by address. Only Linux has more than one of them without asking. */
const addressOf = (number: number) =>
  process.platform === 'linux' ? `127.1.${Math.floor(number / 250)}.${(number % 250) + 1}` : undefined;

async function drive(lane: Lane, next: ReturnType<typeof requestsOf>, turn?: () => Promise<number>) {
  while (!isStopped) {
    const request = next();
    if (!request) return;
    // With a pace, a request counts from when it was due: waiting in line is waiting, too.
    const sentAt = turn ? await turn() : performance.now();
    tally.add(...(await send(lane, request)), sentAt);
  }
}

/** Sends a request, and what follows from its answer. */
async function send(lane: Lane, request: Request): Promise<[outcome: string, isExpected: boolean]> {
  const outcome = await lane.send(request);
  const isExpected = request.expected.includes(outcome);
  return isExpected && request.next ? await send(lane, request.next(lane.answer)) : [outcome, isExpected];
}

/** Waits for the next of the instants that lie evenly `perSecond` apart, and tells it. */
function paceOf(perSecond: number | undefined): (() => Promise<number>) | undefined {
  if (perSecond === undefined) return undefined;
  const start = performance.now();
  let turns = 0;
  return async () => {
    const due = start + (turns++ * 1_000) / perSecond;
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    return due;
  };
}
