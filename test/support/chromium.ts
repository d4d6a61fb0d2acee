import { existsSync } from 'node:fs';

/** The browser of this machine, if it has one; Debian's package is `chromium`. */
export const chromiumPath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
  (path) => path !== undefined && existsSync(path),
);

/** Stays by itself: no updates, no telemetry; root has no sandbox to use. */
export const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

if (!chromiumPath) {
  const message = 'NO CHROMIUM: the suite that clicks through Swagger UI is SKIPPED. Install chromium.';
  if (process.env.CI === 'true') throw new Error(message);
  console.warn(`\n${message}\n`);
}
