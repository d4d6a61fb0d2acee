import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { AccessTokens, ACCESS_TOKEN_SECONDS } from '../../../src/auth/access-tokens';
import { TEST_SECRET } from '../../support/tokens';
import type { Stage } from '../stage';
import { HOLD_SECONDS, type Member, type Peculiarity } from '../system/system';
import type { Fault } from './fault';
import { within, type Finding } from './finding';

const OFF_BY = ['+10m', '-10m'] as const;
const NOT_INSTALLED = 'libfaketime is not installed (Debian: apt-get install libfaketime)';

const apiClock: Fault = {
  name: 'clock-api',
  family: 'clock',
  about: 'the clock of an API is ten minutes fast, then ten minutes slow',
  obstacle,
  strike: async (stage) => {
    const [right, wrong] = stage.system.apis;
    const findings: Finding[] = [];
    for (const offset of offsets(stage)) {
      findings.push(
        ...(await withClock(stage, [wrong], offset, async () => [
          await tellsHoldsRightly(stage, wrong),
          await takesTokensOf(stage, right, wrong),
          await takesTokensOf(stage, wrong, right),
          await takesOldTokensRightly(stage, wrong),
        ])),
      );
    }
    await wrong.restart();
    return findings;
  },
};

const workerClock: Fault = {
  name: 'clock-worker',
  family: 'clock',
  about: 'the clocks of all workers are ten minutes fast, then ten minutes slow',
  obstacle,
  strike: async (stage) => {
    const { workers } = stage.system;
    const findings: Finding[] = [];
    for (const offset of offsets(stage))
      findings.push(...(await withClock(stage, workers, offset, () => Promise.resolve([]))));
    for (const worker of workers) await worker.restart();
    return [...findings, await stage.bullTakesOver()];
  },
};

export const CLOCK_FAULTS: readonly Fault[] = [apiClock, workerClock];

const offsets = ({ isFull, random }: Stage) => (isFull ? OFF_BY : [random.pick(OFF_BY)]);

async function withClock(
  stage: Stage,
  members: readonly Member[],
  offset: string,
  look: () => Promise<Finding[]>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const overdue = await stage.mostOverdueWhile(async () => {
    for (const member of members) await member.restart(offBy(offset));
    await stage.wait(5_000, 1_500);
    findings.push(...(await look()));
  });
  return [...findings, within('holds end', overdue, 2_000)].map((finding) => ({
    ...finding,
    mustHold: `${offset}: ${finding.mustHold}`,
  }));
}

/** How long a hold lasts, as told by the process whose clock is wrong. */
async function tellsHoldsRightly(stage: Stage, member: Member): Promise<Finding> {
  const { hold } = await stage.reserve(stage.system.apis.findIndex((api) => api === member));
  const long = HOLD_SECONDS * 1_000;
  return {
    mustHold: `a hold lasts ${long} ms`,
    measured: `${hold?.lastsMs} ms, of which ${hold?.leftMs} ms are left`,
    isOk: hold?.lastsMs === long && hold.leftMs === long,
  };
}

/** Signs up at one API and goes on at the other. */
async function takesTokensOf(stage: Stage, issuer: Member, other: Member): Promise<Finding> {
  const email = `clock.${stage.random.between(0, 2 ** 31)}@example.com`;
  const { body } = await stage.ask(issuer, {
    method: 'POST',
    path: '/users/',
    body: { name: 'Clock', email },
  });
  const { status } = await stage.ask(other, {
    method: 'GET',
    path: `/users/${body.id}/tickets`,
    token: String(body.access_token),
  });
  return {
    mustHold: `${other.name} takes tokens of ${issuer.name}`,
    measured: String(status),
    isOk: status === 200,
  };
}

/** Tokens end when they are a quarter of an hour old, by the right time. */
async function takesOldTokensRightly(stage: Stage, member: Member): Promise<Finding> {
  const ages = [ACCESS_TOKEN_SECONDS - 30, ACCESS_TOKEN_SECONDS + 30];
  const statuses: number[] = [];
  for (const age of ages) {
    const token = tokenMadeAgo(stage, age);
    // Asked for nothing: the account is younger than its token, and would be taken for another's.
    statuses.push((await stage.ask(member, { method: 'POST', path: '/tickets/', body: {}, token })).status);
  }
  return {
    mustHold: 'tokens end after 15 minutes',
    measured: `half a minute before: ${statuses[0]}, after: ${statuses[1]}`,
    isOk: statuses[0] === 422 && statuses[1] === 401,
  };
}

function tokenMadeAgo(stage: Stage, seconds: number): string {
  const tokens = new AccessTokens([TEST_SECRET], () => Date.now() - seconds * 1_000);
  return tokens.sign({ userId: stage.market.users[0] ?? 0, role: 'user', createdAt: new Date(0) });
}

/** The monotonic clock stays as it is: no clock that is set changes it. */
const offBy = (offset: string): Peculiarity => ({
  environment: { LD_PRELOAD: library() ?? '', FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1' },
});

function library(): string | undefined {
  const folders = [
    '/usr/lib',
    ...(existsSync('/usr/lib') ? readdirSync('/usr/lib').map((name) => `/usr/lib/${name}`) : []),
  ];
  return folders.map((folder) => join(folder, 'faketime/libfaketime.so.1')).find((file) => existsSync(file));
}

function obstacle(): string | undefined {
  return library() === undefined ? NOT_INSTALLED : undefined;
}
