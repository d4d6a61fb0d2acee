import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PROBLEMS } from './catalogue';

it('has every code once', () => {
  const parts = readdirSync(__dirname)
    .filter((file) => file.endsWith('.ts') && !file.startsWith('catalogue'))
    .flatMap((file) => Object.entries(jest.requireActual<Record<string, unknown>>(join(__dirname, file))))
    .filter(([name]) => name.endsWith('_PROBLEMS'));
  const codes = parts.flatMap(([, problems]) => Object.keys(problems as object));
  expect(codes.sort()).toEqual(Object.keys(PROBLEMS).sort());
});
