import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { captionOf } from './captions';
import { charts } from './charts';
import { withResults } from './page';
import { readResults, type Results } from './results';

const RESULTS = join(__dirname, '../results');
const PAGE = readFileSync(join(__dirname, '../../../docs/SCALING.md'), 'utf8');
const OURS = '#0969da';
const OTHERS = '#818b98';

let results: Results;
beforeAll(async () => {
  const kept = await readResults(RESULTS);
  if (!kept) throw new Error(`There are no results in ${RESULTS}`);
  results = kept;
});

/** Where one of these fails: npm run bench -- --redraw */
describe('what the benchmark measured last', () => {
  it('stands in docs/SCALING.md', () => {
    expect(withResults(PAGE, results)).toBe(PAGE);
  });

  it('is drawn in the pictures', () => {
    const files = readdirSync(RESULTS).filter((file) => file.endsWith('.svg'));
    const drawn = charts(results);
    expect(Object.keys(drawn).sort()).toEqual(files.sort());
    for (const file of files) expect(drawn[file]).toBe(readFileSync(join(RESULTS, file), 'utf8'));
  });

  it('would look different with another figure', () => {
    const other = structuredClone(results);
    const figure = other.parts.pay?.figures[0];
    const payments = other.parts.pay?.measurements.payments;
    if (!figure || !payments) throw new Error('Payments were not measured');
    figure.value += 0.1;
    payments.perSecond += 100;
    expect(withResults(PAGE, other)).not.toBe(PAGE);
    expect(charts(other)['throughput.svg']).not.toBe(charts(results)['throughput.svg']);
    expect(charts(other)['nearby.svg']).toBe(charts(results)['nearby.svg']);
  });
});

it('the page must have a place for the results', () => {
  expect(() => withResults('# Nothing here\n', results)).toThrow('<!-- bench:begin -->');
});

describe('the pictures', () => {
  it('have words of their own for all that they show', () => {
    const shown = ['hot', 'spread', 'pay', 'nearby', 'paging'].flatMap((part) =>
      Object.keys(results.parts[part]?.measurements ?? {}),
    );
    expect(shown.length).toBeGreaterThan(10);
    expect(shown.filter((name) => captionOf(name) === name)).toEqual([]);
  });

  it('have a colour of ours, and another one for what is compared', () => {
    const { 'throughput.svg': throughput = '', 'nearby.svg': nearby = '' } = charts(results);
    const bars = (svg: string, color: string) => svg.split(`fill="${color}"`).length - 1;
    expect([bars(throughput, OURS), bars(throughput, OTHERS)]).toEqual([3, 4]);
    expect([bars(nearby, OURS), bars(nearby, OTHERS)]).toEqual([4, 0]);
  });

  it('have round numbers on their axes', () => {
    for (const [file, svg] of Object.entries(charts(results))) {
      const ticks = [...svg.matchAll(/text-anchor="middle"[^>]*>([\d,.]+)</g)].map(([, tick = '']) => tick);
      expect([file, ticks.length]).toEqual([file, expect.any(Number)]);
      expect(ticks.length).toBeGreaterThan(3);
      const digits = ticks.map((tick) => tick.replace(/[,.]/g, '').replace(/0+$/, ''));
      expect(digits.filter((rest) => rest.length > 2)).toEqual([]);
    }
  });
});
