import Redis from 'ioredis';
import { quantile } from '../clients/history';
import type { Stage } from '../stage';
import type { Fault } from './fault';
import { seconds, type Finding } from './finding';

const SAMPLE_MS = 1_000;
/** What the garbage collector and the allocator may leave lying about. */
const SLACK = { share: 1.1, mb: 10, keys: 50 };

interface Sample {
  name: string;
  unit: 'mb' | 'keys';
  value: number;
}

const soak: Fault = {
  name: 'soak',
  family: 'soak',
  about: 'nothing breaks, for all the minutes: memory and Redis stay as they are',
  onRequest: true,
  strike: async (stage) => {
    const samples: Sample[][] = [];
    const end = performance.now() + stage.minutes * 60_000;
    let told = performance.now();
    while (performance.now() < end) {
      await stage.wait(SAMPLE_MS);
      samples.push(await sample(stage));
      if (performance.now() - told < 60_000) continue;
      told = performance.now();
      stage.say(
        `  ${seconds(end - told)} to go: ${samples
          .at(-1)
          ?.map(({ name, value }) => `${name} ${value.toFixed(0)}`)
          .join(', ')}`,
      );
    }
    const names = samples[0]?.map(({ name }) => name) ?? [];
    return names.map((name, i) =>
      isFlat(
        name,
        samples.map((row) => row[i] as Sample),
      ),
    );
  },
};

export const SOAKS: readonly Fault[] = [soak];

async function sample({ system }: Stage): Promise<Sample[]> {
  const redis = new Redis(system.redis.url);
  try {
    const [, bytes] = /used_memory:(\d+)/.exec(await redis.info('memory')) ?? [];
    return [
      ...system.members.map(({ name, current }): Sample => ({
        name: `MB of ${name}`,
        unit: 'mb',
        value: current.residentMb(),
      })),
      { name: 'MB of Redis', unit: 'mb', value: Number(bytes) / 1e6 },
      { name: 'keys in Redis', unit: 'keys', value: await redis.dbsize() },
    ];
  } finally {
    redis.disconnect();
  }
}

/** By the medians of the second quarter, when everything is warm, and of the last. */
function isFlat(name: string, samples: readonly Sample[]): Finding {
  const quarter = Math.floor(samples.length / 4);
  const median = (part: readonly Sample[]) =>
    quantile(
      part.map(({ value }) => value),
      0.5,
    );
  const [before, after] = [median(samples.slice(quarter, 2 * quarter)), median(samples.slice(-quarter))];
  const unit = samples[0]?.unit ?? 'mb';
  return {
    mustHold: `${name}: flat`,
    measured: `${before.toFixed(1)}, in the end ${after.toFixed(1)}`,
    isOk: after <= before * SLACK.share + SLACK[unit],
  };
}
