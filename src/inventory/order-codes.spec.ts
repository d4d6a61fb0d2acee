import fc from 'fast-check';
import type { DataSource } from 'typeorm';
import { OrderCodes } from './order-codes';

const KEY = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
const codes = new OrderCodes({} as DataSource);
codes.useKey(KEY);

it('gives every id a code of its own, and finds it again', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 50 - 1 }), (id) => {
      const code = codes.codeOf(id);
      expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{10}$/);
      expect(codes.idOf(code)).toBe(id);
    }),
  );
});

it('keeps the codes that were given away', () => {
  expect([1, 2, 123_456, 2 ** 50 - 1].map((id) => codes.codeOf(id))).toEqual([
    'VDQRBHJGD1',
    'CEBK66ZJDG',
    'H8TQ1ADB24',
    'B6B0YTG532',
  ]);
});

it('makes the codes of many as it does those of each', () => {
  const ids = Array.from({ length: 100 }, (_, i) => 1_000_003 * i + 1);
  const each = new OrderCodes({} as DataSource);
  each.useKey(KEY);
  codes.prepare(ids);
  expect(ids.map((id) => codes.codeOf(id))).toEqual(ids.map((id) => each.codeOf(id)));
});

it('tells nothing of how many there are', () => {
  const made = Array.from({ length: 1_000 }, (_, i) => codes.codeOf(i + 1));
  expect(new Set(made).size).toBe(1_000);
  const firsts = new Set(made.map((code) => code[0]));
  expect(firsts.size).toBe(32);
});

it('forgives case, hyphens and look-alikes', () => {
  const id = 123_456;
  const code = codes.codeOf(id);
  expect(codes.idOf(`${code.slice(0, 5)}-${code.slice(5)}`.toLowerCase())).toBe(id);
  expect(codes.idOf(code.replaceAll('0', 'O').replaceAll('1', 'l'))).toBe(id);
});

it.each(['', 'ABC', '0123456789A', 'UUUUUUUUUU', '..........'])('%j is the code of no order', (code) =>
  expect(codes.idOf(code)).toBeUndefined(),
);
