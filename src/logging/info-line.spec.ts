import { pino } from 'pino';
import { infoLine } from './info-line';

function logTo(lines: string[], level = 'info') {
  return pino({ level, base: { pid: 7, role: 'api' } }, { write: (line) => void lines.push(line) });
}

describe('infoLine', () => {
  it('writes what pino would', () => {
    const lines: string[] = [];
    const logger = logTo(lines).child({ more: 'of "it"' });
    const fields = { a: 'x\n"\u2028\ud800', b: 1.5, c: undefined, d: null, msg: 'GET /\u0000 200' };
    logger.info(fields);
    infoLine(logger)(fields);
    const [expected, written] = lines.map((line) => line.replace(/"time":\d+/, '"time":0'));
    expect(JSON.parse(written ?? '')).toEqual(JSON.parse(expected ?? ''));
    expect(written).toMatch(/^[^\n]+\n$/);
  });

  it('writes nothing above its level', () => {
    const lines: string[] = [];
    const logger = logTo(lines, 'warn');
    infoLine(logger)({ a: 1 });
    expect(lines).toEqual([]);
    logger.level = 'info';
    infoLine(logger)({ a: 1 });
    expect(lines).toHaveLength(1);
  });
});
