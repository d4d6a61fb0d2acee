import { readFileSync } from 'node:fs';
import { create, type Font } from 'fontkit';
import { unpackWoff } from './woff';

export type Weight = 400 | 700;

/** The packages that the fonts come from, in the order in which a character is looked for. Emoji have one weight. */
const FAMILIES = [
  { name: 'noto-sans', weights: [400, 700] },
  { name: 'noto-sans-arabic', weights: [400, 700] },
  { name: 'noto-sans-hebrew', weights: [400, 700] },
  { name: 'noto-sans-thai', weights: [400, 700] },
  { name: 'noto-sans-sc', weights: [400, 700] },
  { name: 'noto-sans-jp', weights: [400, 700] },
  { name: 'noto-sans-kr', weights: [400, 700] },
  { name: 'noto-emoji', weights: [400] },
] as const;

/** A file of a font, which has some of the characters. It is read when the first of them is to be shown. */
export class Face {
  /** In which direction the next piece is laid out. pdfkit would ask the font, which guesses from the script. */
  isRtl = false;
  private readonly fonts = new Map<Weight, Font>();

  constructor(
    readonly family: (typeof FAMILIES)[number],
    private readonly subset: string,
    private readonly ranges: [first: number, last: number][],
  ) {}

  /** As pdfkit takes it. */
  font(weight: Weight): Font {
    const known = this.fonts.get(weight);
    if (known) return known;
    const { name, weights } = this.family;
    const own = weights.find((each) => each === weight) ?? weights[0];
    const file = require.resolve(`@fontsource/${name}/files/${name}-${this.subset}-${own}-normal.woff`);
    const font = create(unpackWoff(readFileSync(file))) as Font;
    leaveUnplaced(font);
    const layOut = font.layout.bind(font);
    font.layout = (text, features) =>
      layOut(text, features, undefined, undefined, this.isRtl ? 'rtl' : 'ltr');
    this.fonts.set(weight, font);
    return font;
  }

  has(codePoint: number): boolean {
    return (
      this.ranges.some(([first, last]) => codePoint >= first && codePoint <= last) &&
      this.font(400).hasGlyphForCodePoint(codePoint)
    );
  }
}

/** What of fontkit's layout its types leave out. An emoji font places nothing. */
interface PlacingFont {
  _layoutEngine: { engine?: { GPOSProcessor?: { applyLookup(type: number, table: unknown): boolean } } };
}

/**
 * Lets fontkit go on with a font's next rule, as other engines do, where this one has no place for a mark on a letter:
 * it would throw. Without any rules for marks, letters would lose their dots, which are marks of the font.
 */
function leaveUnplaced(font: Font): void {
  const places = (font as Font & PlacingFont)._layoutEngine.engine?.GPOSProcessor;
  if (!places) return;
  const apply = places.applyLookup.bind(places);
  places.applyLookup = (type, table) => {
    try {
      return apply(type, table);
    } catch {
      return false;
    }
  };
}

/** `U+0-FF,U+131` */
const rangesIn = (text: string) =>
  text.split(',').map((range): [number, number] => {
    const [first = '', last = first] = range.slice(2).split('-');
    return [parseInt(first, 16), parseInt(last, 16)];
  });

const FACES = FAMILIES.flatMap((family) => {
  const file = require.resolve(`@fontsource/${family.name}/unicode.json`);
  const subsets = Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>);
  // The common letters first: a subset of rare ones has some of them, too.
  subsets.sort(([a], [b]) => Number(b === 'latin') - Number(a === 'latin'));
  return subsets.map(
    ([name, ranges]) => new Face(family, name.replace(/^\[(.*)\]$/, '$1'), rangesIn(ranges)),
  );
});
const DEFAULT_FACE = FACES[0] as Face;

const favouring = (name: string) => [
  ...FACES.filter(({ family }) => family.name === name),
  ...FACES.filter(({ family }) => family.name !== name),
];
const JAPANESE_FIRST = favouring('noto-sans-jp');
const KOREAN_FIRST = favouring('noto-sans-kr');

/**
 * The faces for a text, in the order in which a character is looked for. Chinese, Japanese and Korean share characters
 * that each draws in its own way: the other letters of the text tell which it is.
 */
export function facesFor(text: string): readonly Face[] {
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text)) return JAPANESE_FIRST;
  return /\p{Script=Hangul}/u.test(text) ? KOREAN_FIRST : FACES;
}

/** Join or choose a form of what stands before them, and are nothing by themselves. */
const isIgnorable = (codePoint: number) =>
  /\p{Default_Ignorable_Code_Point}/u.test(String.fromCodePoint(codePoint));

/**
 * The face that shows a character as a reader sees it, such as a family of four people: the first that has all its code
 * points, else the first that has the one it begins with. A character that none has is shown as an empty box.
 *
 * @param faces those of its text
 * @param before the face of the character before it, which shows it if it can: letters of a word belong together
 */
export function faceOf(cluster: string, faces: readonly Face[], before?: Face): Face {
  const codePoints = [...cluster].map((character) => character.codePointAt(0) as number);
  const hasAll = (face: Face) => codePoints.every((codePoint) => face.has(codePoint));
  const isShown = codePoints.filter((codePoint) => !isIgnorable(codePoint));
  const isEmoji = /\p{Emoji_Presentation}|\uFE0F/u.test(cluster);
  const tried = isEmoji ? faces.toReversed() : before ? [before, ...faces] : faces;
  return (
    tried.find(hasAll) ??
    tried.find((face) => isShown.every((codePoint) => face.has(codePoint))) ??
    tried.find((face) => isShown[0] !== undefined && face.has(isShown[0])) ??
    DEFAULT_FACE
  );
}
