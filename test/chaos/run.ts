import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Redis from 'ioredis';
import type { Cleanup } from '../support/cleanup';
import { allTickets, violationsInDatabase } from './checks/database-check';
import { violationsIn } from './checks/history-check';
import { Balancer } from './clients/balancer';
import { Customers } from './clients/customers';
import { History } from './clients/history';
import { Market } from './clients/market';
import type { Fault } from './faults/fault';
import { FAULTS } from './faults/faults';
import { within, type Finding } from './faults/finding';
import type { Options } from './options';
import { Random } from './random';
import type { Result } from './report';
import { Stage } from './stage';
import { canMount } from './system/small-disk';
import { HOLD_SECONDS, System } from './system/system';

const WARM_UP_MS = 1_500;
/** Between two faults. */
const CALM_MS = { full: 1_500, brief: 500 };
/** How long holds may be overdue once everything is well and the customers have stopped. */
const RELEASED_WITHIN_MS = HOLD_SECONDS * 1_000 + 2_000;
/** A job for each tenth of a second in which holds fall due, some of Bull's own, and those of a worker whose clock is behind. */
const MOST_KEYS = 300;
const TOLD_WRONGS = 5;

/** The run of one seed: from its start to the last fault. */
export class Run {
  readonly results: Result[] = [];
  private readonly told = new Set<string>();

  private constructor(
    private readonly seed: number,
    private readonly options: Options,
    private readonly stage: Stage,
    private readonly say: (line: string) => void,
  ) {}

  static async start(
    seed: number,
    options: Options,
    cleanup: Cleanup,
    say: (line: string) => void,
  ): Promise<Run> {
    const logs = options.logs
      ? join(options.logs, String(seed))
      : await mkdtemp(join(tmpdir(), 'tixxety-chaos-logs-'));
    if (options.logs) await mkdir(logs, { recursive: true });
    else cleanup.add(() => rm(logs, { recursive: true, force: true }));

    const families = new Set(chosenFaults(seed, options).map(({ family }) => family));
    const system = await System.start(cleanup, logs, {
      onSmallDisk: families.has('disk') && canMount(),
      withSandbox: families.has('money'),
      withoutGuard: options.withoutGuard,
    });
    const market = await Market.open(system.postgres);
    cleanup.add(() => market.close());
    const history = new History();
    const urls = system.apis.map(({ url }) => url);
    const balancer = new Balancer(urls);
    const customers = new Customers(seed, balancer, market, history);
    const stage = new Stage(
      system,
      market,
      history,
      customers,
      new Random(seed, 'nemesis'),
      !options.isBrief,
      options.minutes,
      say,
    );
    cleanup.add(() => {
      balancer.close();
      stage.close();
    });
    stage.serve();
    cleanup.add(() => customers.stop());
    await stage.wait(WARM_UP_MS);
    return new Run(seed, options, stage, say);
  }

  /** One fault after another, each healed before the next, until the time is over. */
  async meetFaults(): Promise<void> {
    const end = performance.now() + this.options.minutes * 60_000;
    const areAllMeant = this.options.isBrief || this.options.faults !== undefined;
    for (const fault of chosenFaults(this.seed, this.options)) {
      if (!areAllMeant && performance.now() > end) return;
      try {
        await this.meet(fault);
      } catch (error) {
        // The state is unknown now, so this system has nothing more to teach.
        const measured = `the run ended: ${(error as Error).message}`;
        const findings = [{ mustHold: 'it can be healed', measured, isOk: false }];
        this.say(`  FAILED: ${(error as Error).stack}`);
        this.results.push({ seed: this.seed, fault: fault.name, findings, wrongs: [] });
        return;
      }
    }
  }

  /** No fault: only customers, for a while. */
  async serve(name: string, ms: number): Promise<void> {
    await this.stage.wait(ms);
    this.results.push({ seed: this.seed, fault: name, ...(await this.count()) });
  }

  private async meet(fault: Fault): Promise<void> {
    const notRun = fault.obstacle?.();
    if (notRun !== undefined) {
      this.say(`${fault.name}: NOT RUN, ${notRun}`);
      this.results.push({ seed: this.seed, fault: fault.name, notRun, findings: [], wrongs: [] });
      return;
    }
    this.say(`${fault.name}: ${fault.about}`);
    const begun = performance.now();
    await this.stage.wait(CALM_MS.full, CALM_MS.brief);
    const findings = await fault.strike(this.stage);
    const counted = await this.count();
    findings.push(...counted.findings);
    this.stage.serve();
    this.results.push({ seed: this.seed, fault: fault.name, findings, wrongs: counted.wrongs });
    for (const { mustHold, measured, isOk } of findings) {
      if (!isOk) this.say(`  FAILED: ${mustHold}: ${measured}`);
    }
    this.say(`  took ${((performance.now() - begun) / 1_000).toFixed(1)} s`);
  }

  /** Lets everybody finish, and holds the answers against the database. */
  private async count(): Promise<Pick<Result, 'findings' | 'wrongs'>> {
    const released = await this.stage.waitForReleases();
    const { system, history } = this.stage;
    const wrongs = [
      ...violationsIn(history.calls, await allTickets(system.postgres)),
      ...(await violationsInDatabase(system.postgres)),
      ...system.members.filter(({ isRunning }) => !isRunning).map(({ name }) => `${name} ended by itself`),
    ].filter((wrong) => !this.told.has(wrong));
    for (const wrong of wrongs.slice(0, TOLD_WRONGS)) this.say(`  WRONG: ${wrong}`);
    for (const wrong of wrongs) this.told.add(wrong);
    const tally = (['ok', 'refused', 'unknown'] as const).map(
      (outcome) => `${history.calls.filter((call) => call.outcome === outcome).length} ${outcome}`,
    );
    const keys = await redisKeys(system.redis.url);
    const findings: Finding[] = [
      {
        mustHold: 'nothing lost, nothing doubled, seats exact',
        measured:
          wrongs.length === 0 ? `${tally.join(', ')} so far` : `${wrongs.length} wrongs: ${wrongs[0]}`,
        isOk: wrongs.length === 0,
      },
      within('all holds ended', released, RELEASED_WITHIN_MS),
      { mustHold: `at most ${MOST_KEYS} keys in Redis`, measured: String(keys), isOk: keys <= MOST_KEYS },
    ];
    return { findings, wrongs };
  }
}

/** Which faults the seed meets, in which order. */
function chosenFaults(seed: number, { faults, isBrief }: Options): Fault[] {
  const random = new Random(seed, 'order of faults');
  if (faults) return random.shuffle(faults);
  const usual = random.shuffle(FAULTS.filter(({ onRequest }) => !onRequest));
  if (!isBrief) return usual;
  return usual.filter(({ family }, i) => usual.findIndex((fault) => fault.family === family) === i);
}

async function redisKeys(url: string): Promise<number> {
  const redis = new Redis(url);
  try {
    return await redis.dbsize();
  } finally {
    redis.disconnect();
  }
}
