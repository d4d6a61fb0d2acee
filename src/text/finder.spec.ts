import { finder } from './finder';

describe('finder', () => {
  it.each([
    ['zoë', 'Zoë Straße'],
    ['STRASSE', 'Zoë Straße'],
    [' ＺＯË ', 'Zoe\u0308'],
    ['bücher', 'zoë@BÜCHER.example'],
    ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
    ['ada@xn--bcher-kva.example', 'ADA@BÜCHER.example'],
    ['"ada.l"@example.com', 'ada.l@example.com'],
  ])('finds %s in %s', (q, text) => expect(finder(q)(text)).toBe(true));

  it.each([
    ['zoe', 'Zoë'],
    ['ada@example.com', 'ada@example.org'],
    ['ada@example.com', 'Ada'],
    ['@', 'Ada'],
    ['ada', null],
  ])('does not find %s in %s', (q, text) => expect(finder(q)(text)).toBe(false));
});
