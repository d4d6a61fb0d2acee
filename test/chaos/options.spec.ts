import { FAULTS } from './faults/faults';
import { readOptions } from './options';

describe('the command line of the chaos', () => {
  const named = (argv: string[]) => readOptions(argv)?.faults?.map(({ name }) => name);

  it('runs one random seed for a minute, and says nothing of faults', () => {
    expect(readOptions([])).toMatchObject({ minutes: 1, isBrief: false, withoutGuard: false });
    expect(readOptions([])?.seeds).toHaveLength(1);
    expect(readOptions([])?.faults).toBeUndefined();
  });

  it('takes a number of seeds, or the seeds', () => {
    expect(new Set(readOptions(['--seeds', '3'])?.seeds).size).toBe(3);
    expect(readOptions(['--seeds', '7,8'])?.seeds).toEqual([7, 8]);
    expect(readOptions(['--seed', '7', '--seed', '9'])?.seeds).toEqual([7, 9]);
  });

  it('picks faults by name and by family', () => {
    expect(named(['--fault', 'kill-redis, kill-api'])).toEqual(['kill-api', 'kill-redis']);
    expect(named(['--fault', 'kill-redis', '--fault', 'kill-api'])).toEqual(['kill-api', 'kill-redis']);
    expect(named(['--fault', 'kill'])).toEqual(expect.arrayContaining(['kill-api', 'kill-postgres']));
    expect(named(['--family', 'money'])).toEqual(['money-kill', 'money-provider', 'money-cancellation']);
    expect(named(['--fault', 'all'])).toEqual(
      FAULTS.filter(({ onRequest }) => !onRequest).map(({ name }) => name),
    );
  });

  it.each([
    [['--fault', 'kill-cat'], '--fault: there is no "kill-cat"; there are kill-api, '],
    [['--seeds', '0'], '--seeds must be a whole number from 1 to 2147483647, not "0"'],
    [['--seeds', '7,x'], '--seed must be a whole number from 0 to 2147483647, not "x"'],
    [['--minutes', 'x'], '--minutes must be a number above 0, at most 1440, not "x"'],
    [['--minutes', '-1'], '--minutes must be a number above 0, at most 1440, not "-1"'],
    [['--gently'], "Unknown option '--gently'. See --help."],
    [['kill-api'], "Unexpected argument 'kill-api'"],
  ])('refuses %j in one sentence', (argv, sentence) => {
    expect(() => readOptions(argv)).toThrow(sentence);
  });
});
