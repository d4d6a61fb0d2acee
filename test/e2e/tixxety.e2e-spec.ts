import { VERSION } from '../../src/version';
import { createBareDatabase, type TestDatabase } from '../support/databases';
import { runScript } from '../support/processes';

const tixxety = (command: string, environment: Record<string, string> = {}) =>
  runScript('tixxety', command.split(' ').filter(Boolean), environment);

describe('tixxety', () => {
  let bare: TestDatabase;
  beforeAll(async () => {
    bare = await createBareDatabase();
  });
  afterAll(() => bare.drop());

  it('shows its commands, and what each takes', async () => {
    const help = await tixxety('--help');
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(await tixxety('')).toEqual(help);
    for (const command of ['start', 'worker', 'migrate', 'doctor', 'seed']) {
      expect(help.output).toContain(`\n  ${command} `);
      const { code, output } = await tixxety(`${command} --help`);
      expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/^Usage: /) });
    }
  });

  it('shows its version', async () => {
    expect(await tixxety('--version')).toEqual({ code: 0, output: `${VERSION}\n`, stderr: '' });
  });

  it.each(['nonsense', 'toString'])('refuses %s in a sentence', async (command) => {
    const sentence = `There is no command "${command}". See tixxety --help.\n`;
    expect(await tixxety(command)).toEqual({ code: 1, output: sentence, stderr: sentence });
  });

  it('makes the schema, fills it and checks it', async () => {
    const database = { DATABASE_URL: bare.url };
    expect(await tixxety('start', { ...database, PORT: '0' })).toMatchObject({
      code: 1,
      output: expect.stringContaining('migrations are pending'),
    });
    expect((await tixxety('migrate show', database)).output).toMatch(/^pending /);
    expect(await tixxety('migrate', database)).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^Applied /),
    });
    expect(await tixxety('seed --users 5 --events 5', database)).toMatchObject({ code: 0 });
    expect(await tixxety('doctor', database)).toMatchObject({ code: 0 });
  });

  it('starts a worker as main --worker does', async () => {
    const { code, output } = await tixxety('worker', { DATABASE_URL: bare.url });
    expect({ code, output }).toEqual({ code: 1, output: expect.stringMatching(/^REDIS_URL is not set/) });
  });
});
