import { rmSync } from 'node:fs';

/** Where the run's services are; passed on to the workers of Jest through the environment. */
interface Addresses {
  server: string;
  template: string;
  redis?: string;
}

const VARIABLE = 'TIXXETY_TEST_SERVICES';
const kept = globalThis as { tixxetyTearDown?: () => unknown };

export const services = {
  announce(addresses: Addresses): void {
    process.env[VARIABLE] = JSON.stringify(addresses);
  },

  get addresses(): Addresses {
    return JSON.parse(process.env[VARIABLE] ?? '') as Addresses;
  },

  /** Adds a step; the last added is the first taken, and the folder goes at the very end. */
  onTeardown(folder: string, step: () => unknown): void {
    const before = kept.tixxetyTearDown ?? (() => rmSync(folder, { recursive: true, force: true }));
    kept.tixxetyTearDown = async () => {
      await step();
      await before();
    };
  },

  async tearDown(): Promise<void> {
    await kept.tixxetyTearDown?.();
  },
};
