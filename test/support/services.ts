import { rmSync } from 'node:fs';

/** Where the run's services are; passed on to the workers of Jest through the environment. */
interface Addresses {
  server: string;
  template: string;
  redis?: string;
}

const VARIABLE = 'TIXXETY_TEST_SERVICES';
const kept = globalThis as { tixxetyTearDown?: () => Promise<void> };

export const services = {
  announce(addresses: Addresses): void {
    process.env[VARIABLE] = JSON.stringify(addresses);
  },

  get addresses(): Addresses {
    return JSON.parse(process.env[VARIABLE] ?? '') as Addresses;
  },

  onTeardown(folder: string, steps: (() => unknown)[]): void {
    kept.tixxetyTearDown = async () => {
      for (const step of steps) await step();
      rmSync(folder, { recursive: true, force: true });
    };
  },

  async tearDown(): Promise<void> {
    await kept.tixxetyTearDown?.();
  },
};
