import { readOptions } from './options';

describe('the command line of the benchmark', () => {
  const named = (argv: string[]) => readOptions(argv)?.parts.map(({ name }) => name);

  it('runs all parts but those that take long', () => {
    expect(named([])).toContain('hot');
    expect(named([])).not.toContain('growth');
  });

  it('picks parts, in the order in which they run', () => {
    expect(named(['--only', 'growth, hot'])).toEqual(['hot', 'growth']);
  });

  it.each([
    [['--only', 'hot,cold'], '--only: there is no part "cold"; there are hot, '],
    [['--rounds', '0'], '--rounds must be a number above 0 and below 1000, not "0"'],
    [['--seconds', 'x'], '--seconds must be a number above 0 and below 1000, not "x"'],
    [['--scale', '-1'], '--scale must be a number above 0 and below 1000, not "-1"'],
    [['--scale', '.1', '--scale', '1'], "Option '--scale' is given twice. See --help."],
    [['--scale', '--markdown'], "Option '--scale' lacks its value. See --help."],
    [['--fast'], "Unknown option '--fast'. See --help."],
    [['hot'], "Unexpected argument 'hot'"],
  ])('refuses %j in one sentence', (argv, sentence) => {
    expect(() => readOptions(argv)).toThrow(sentence);
  });

  it('keeps the results of the whole benchmark, and those of a part only where it is told', () => {
    expect(readOptions([])?.out).toMatch(/test\/bench\/results$/);
    expect(readOptions(['--scale', '0.1'])?.out).toBeUndefined();
    expect(readOptions(['--only', 'hot'])?.out).toBeUndefined();
    expect(readOptions(['--only', 'hot', '--out', 'test/bench/results'])?.out).toMatch(
      /test\/bench\/results$/,
    );
    expect(readOptions(['--scale', '0.1', '--out', '/tmp/x'])?.out).toBe('/tmp/x');
  });

  it('writes the table into the documentation only from the results that stand beside it', () => {
    expect(readOptions([])?.page).toMatch(/docs\/SCALING\.md$/);
    expect(readOptions(['--out', '/tmp/x'])?.page).toBeUndefined();
    expect(readOptions(['--scale', '0.1'])?.page).toBeUndefined();
  });
});
