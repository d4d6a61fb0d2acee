import { Paragraph, type Line } from './text';

describe('Paragraph', () => {
  const lines = (text: string, width = 10_000, most = 5) =>
    new Paragraph(text, 400).lines(10, width, most).lines;
  const textOf = (line: Line) => line.map(({ text }) => text);

  it('puts pieces of both directions into the order in which they are seen', () => {
    const [line = []] = lines('Ada אבג 123 (דה) end');
    expect(
      textOf(line)
        .map((text) => text.trim())
        .filter(Boolean),
    ).toEqual(['Ada', '(', 'דה', ')', '123', 'אבג', 'end']);
    expect(line.map(({ isRtl }) => isRtl)).toContain(true);
  });

  it('begins a right-to-left text on the right, emoji and all', () => {
    const [line = []] = lines('ليلة Live! 🎉');
    const seen = textOf(line).join('|');
    expect(seen.indexOf('🎉')).toBeLessThan(seen.indexOf('Live'));
    expect(seen.indexOf('Live')).toBeLessThan(seen.indexOf('ليلة'));
  });

  it('mirrors brackets that are read from right to left', () => {
    const [line = []] = lines('אב (גד)');
    // Each piece is written from its own right: the bracket that opens is seen on the right of its word.
    expect(textOf(line).map((text) => text.trim())).toEqual(['(', 'גד', ')', 'אב']);
  });

  it.each(['👨‍👩‍👧‍👦', '👩🏽‍🚀', '🇩🇪', '❤️', '👍🏿'])('shows %s in one face, as one piece', (emoji) => {
    const [line = []] = lines(`a ${emoji} b`);
    const pieces = line.filter(({ text }) => text.includes(emoji));
    expect(pieces).toHaveLength(1);
    const [{ text, face }] = pieces as [Line[number]];
    const { glyphs } = face.font(400).layout(text.trim());
    expect(glyphs.filter(({ id, advanceWidth }) => id !== 0 && advanceWidth > 0)).toHaveLength(1);
  });

  describe('of Arabic letters with marks', () => {
    const upTo = (first: number, last: number) =>
      Array.from({ length: last - first + 1 }, (_, i) => String.fromCodePoint(first + i));
    const marks = [...upTo(0x610, 0x61a), ...upTo(0x64b, 0x65f), ...upTo(0x6d6, 0x6ed)];
    const placed = (text: string) => {
      const [[{ face }]] = lines(text) as [[Line[number]]];
      const { glyphs, positions } = face.font(400).layout(text);
      return glyphs.map(({ id }, i) => ({ id, ...positions[i] }));
    };

    it.each([400, 700] as const)('has a width at a weight of %d, whatever the mark', (weight) => {
      const letters = ['', 'ا', 'أ', 'ب', 'ف', 'لا', '\u06A2', 'ی', 'Ada '];
      for (const text of letters.flatMap((letter) => marks.map((mark) => letter + mark))) {
        const [[run]] = new Paragraph(text, weight).lines(10, 10_000, 1).lines as [[Line[number]]];
        expect(run.width).toBeGreaterThanOrEqual(0);
      }
    });

    it('leaves the dots at their letters, where a mark has no place', () => {
      const name = 'فنا';
      expect(placed(`${name}\u06DA`)).toEqual(expect.arrayContaining(placed(name)));
      expect(placed(name).filter(({ xOffset, yOffset }) => xOffset && yOffset)).toHaveLength(2);
    });
  });

  it('ignores what turns text around', () => {
    expect(textOf(lines('user\u202Egpj.exe')[0] as Line).join('')).toBe('user gpj.exe');
  });

  it('breaks at spaces, within long words, and ends with an ellipsis', () => {
    const width = new Paragraph('abc def', 400)
      .lines(10, 1_000, 1)
      .lines[0]?.reduce((sum, run) => sum + run.width, 0);
    expect(lines('abc def ghi', width).map((line) => textOf(line).join(''))).toEqual(['abc def', 'ghi']);
    expect(lines('x'.repeat(100), width, 100).length).toBeGreaterThan(5);
    const { lines: cut, isCut } = new Paragraph('abc def ghi jkl', 400).lines(10, (width ?? 0) + 5, 1);
    expect(isCut).toBe(true);
    expect(textOf(cut[0] as Line).join('')).toMatch(/^abc.*…$/);
  });

  it('shows a box for a character that no face has', () => {
    expect(lines('\u{13000}')[0]).toHaveLength(1);
  });

  it('is empty for an empty text', () => {
    expect(lines('')).toEqual([]);
  });
});
