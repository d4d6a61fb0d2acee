import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startTestApi, type TestApi } from '../support/api';

const ROOT = join(__dirname, '../..');
const SCRIPT = join(ROOT, 'scripts/journey.sh');

/** `npm run journey -- <arguments>`, without npm. */
async function journey(...args: string[]) {
  const child = spawn('bash', [SCRIPT, ...args], { env: { PATH: process.env.PATH } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, stdout, stderr };
}

describe('npm run journey', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.stop());

  it('is what README.md shows', () => {
    const script = readFileSync(SCRIPT, 'utf8');
    const shown = script.slice(script.indexOf('\n(\n') + 1);
    expect(readFileSync(join(ROOT, 'README.md'), 'utf8')).toContain(`\`\`\`sh\n${shown}\`\`\`\n`);
  });

  it('shows its usage, and refuses what it does not take', async () => {
    expect(await journey('--help')).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^Usage: /),
      stderr: '',
    });
    expect(await journey('--fast')).toMatchObject({
      code: 1,
      stderr: "Unknown option '--fast'. See --help.\n",
    });
    expect(await journey(api.client.url, 'twice')).toEqual({
      code: 1,
      stdout: '',
      stderr: "Unexpected argument 'twice'. See --help.\n",
    });
  });

  it('ends with a paid ticket, each time, also at an address with a slash behind it', async () => {
    for (let time = 0; time < 2; time++) {
      const { code, stdout, stderr } = await journey(`${api.client.url}${['', '/'][time]}`);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout.trim().split('\n').at(-1)).toMatch(/"status":"paid"/);
    }
  });

  it('says in a sentence that no server answers', async () => {
    const { code, stderr } = await journey('http://127.0.0.1:1');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(
        /^The journey stops here: no answer from http:\/\/127\.0\.0\.1:1\. [^\n]+\n$/,
      ),
    });
  });

  it('stops at the first refusal, and shows it', async () => {
    const { code, stdout, stderr } = await journey(`${api.client.url}/elsewhere`);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '\nSign up, with a place to search around\n' });
    expect(stderr).toMatch(
      /^The journey stops here: the server refuses it: \{.+"code":"route_not_found".+\n$/,
    );
  });

  it.each([
    ['the event is not found', [{ id: 1 }, { id: 2 }, { id: 3 }], 'event 2 is not the nearest one.'],
    [
      'a reservation is made twice',
      [{ id: 1 }, { id: 2 }, { id: 2 }, { id: 3 }, { id: 4 }],
      'ticket 3 was reserved twice.',
    ],
    ['the ticket is not paid in the end', [{ id: 1, status: 'reserved' }], 'ticket 1 is not paid.'],
  ])('notices where %s', async (_what, answers: object[], sentence) => {
    let count = 0;
    const server = createServer((request, response) => {
      request.resume();
      response.end(JSON.stringify(answers[count++] ?? answers.at(-1)));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const result = await journey(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.close();
    expect(result).toMatchObject({ code: 1, stderr: `The journey stops here: ${sentence}\n` });
  });
});
