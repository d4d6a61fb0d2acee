import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startTestApi, type TestApi } from '../support/api';

const README = readFileSync(join(__dirname, '../../README.md'), 'utf8');
const ADMIN = { ADMIN_EMAIL: 'admin@tixxety.example', ADMIN_PASSWORD: 'the first start makes one' };
/** A refusal by the server ends the script, as a fault in it does. */
const STRICT = 'set -euo pipefail\ncurl() { command curl -sS --fail-with-body "$@"; }\n';

describe('what README.md has readers paste after the journey', () => {
  let folder: string;
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi({ ...ADMIN, PAYMENT_PROVIDER: 'sandbox' });
    folder = mkdtempSync(join(tmpdir(), 'tixxety-test-'));
    mkdirSync(join(folder, '.tixxety'));
    const lines = Object.entries(ADMIN).map(([name, value]) => `${name}='${value}'\n`);
    writeFileSync(join(folder, '.tixxety/admin.env'), lines.join(''));
  });
  afterAll(async () => {
    await api.stop();
    rmSync(folder, { recursive: true });
  });

  it('orders, pays, gives money back, lets in and prints, command by command', async () => {
    const script = ['One ticket, or an order', 'Pay', 'The gate'].flatMap(blocksOf).join('\n');
    const here = script.replace('http://127.0.0.1:8000', api.client.url);
    expect(here).not.toBe(script);
    const { stdout } = await promisify(execFile)('bash', ['-c', `${STRICT}${here}`], { cwd: folder });
    for (const told of ['"card_declined"', '"succeeded"', '"amount":500', '"admitted"', 'BEGIN:VCALENDAR'])
      expect(stdout).toContain(told);
    expect(statSync(join(folder, 'tickets.pdf')).size).toBeGreaterThan(1_000);
  });
});

/** The commands in a section. */
function blocksOf(heading: string): string[] {
  const [, section = ''] = README.split(`\n## ${heading}\n`);
  const blocks = [...(section.split('\n## ')[0] ?? '').matchAll(/^```sh\n(.*?)^```$/gms)];
  expect(blocks).not.toEqual([]);
  return blocks.map(([, commands = '']) => commands);
}
