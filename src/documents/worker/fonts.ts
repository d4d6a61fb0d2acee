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
  private readonly fonts = new Map<string, Font>();

  constructor(
    readonly family: (typeof FAMILIES)[number],
    private readonly subset: string,
  ) {}

  /** Of the file that has it. */
  nameOf(weight: Weight): string {
    const { name, weights } = this.family;
    return `${name}-${this.subset}-${weights.find((each) => each === weight) ?? weights[0]}`;
  }

  /** As pdfkit takes it. */
  font(weight: Weight): Font {
    const name = this.nameOf(weight);
    const known = this.fonts.get(name);
    if (known) return known;
    const file = require.resolve(`@fontsource/${this.family.name}/files/${name}-normal.woff`);
    const font = create(unpackWoff(readFileSync(file))) as Font;
    leaveUnplaced(font);
    const layOut = font.layout.bind(font);
    font.layout = (text, features) =>
      layOut(text, features, undefined, undefined, this.isRtl ? 'rtl' : 'ltr');
    this.fonts.set(name, font);
    return font;
  }

  /** @param weight in which it is to be drawn: another one would be read for nothing */
  has(codePoint: number, weight: Weight): boolean {
    return facesOf(codePoint).includes(this) && this.font(weight).hasGlyphForCodePoint(codePoint);
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

/** All code points of `U+0-FF,U+131`. */
function* codePointsIn(ranges: string): Generator<number> {
  for (const range of ranges.split(',')) {
    const [first = '', last = first] = range.slice(2).split('-');
    for (let at = parseInt(first, 16); at <= parseInt(last, 16); at++) yield at;
  }
}

/** Of each code point the faces that may have it: asking all four hundred for each letter would take longer than drawing. */
const FACES = new Map<number, Face[]>();

const facesOf = (codePoint: number): readonly Face[] => FACES.get(codePoint) ?? [];

for (const family of FAMILIES) {
  const file = require.resolve(`@fontsource/${family.name}/unicode.json`);
  const subsets = Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>);
  // The common letters first: a subset of rare ones has some of them, too.
  subsets.sort(([a], [b]) => Number(b === 'latin') - Number(a === 'latin'));
  for (const [name, ranges] of subsets) {
    const face = new Face(family, name.replace(/^\[(.*)\]$/, '$1'));
    for (const codePoint of codePointsIn(ranges)) {
      const faces = FACES.get(codePoint);
      if (faces) faces.push(face);
      else FACES.set(codePoint, [face]);
    }
  }
}
const DEFAULT_FACE = facesOf(0x20)[0] as Face;

/** The name of a family. */
export type Favourite = (typeof FAMILIES)[number]['name'];

/**
 * The family to look in first for a text. Chinese, Japanese and Korean share characters that each draws in its own way: the
 * other letters of the text tell which it is.
 */
export function favouriteOf(text: string): Favourite | undefined {
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text)) return 'noto-sans-jp';
  return /\p{Script=Hangul}/u.test(text) ? 'noto-sans-kr' : undefined;
}

/** Join or choose a form of what stands before them, and are nothing by themselves. */
const isIgnorable = (codePoint: number) =>
  /\p{Default_Ignorable_Code_Point}/u.test(String.fromCodePoint(codePoint));

/**
 * The face that shows a character as a reader sees it, such as a family of four people: the first that has all its code
 * points, else the first that has the one it begins with. A character that none has is shown as an empty box.
 *
 * @param favourite of its text
 * @param before the face of the character before it, which shows it if it can: letters of a word belong together
 */
export function faceOf(cluster: string, weight: Weight, favourite?: Favourite, before?: Face): Face {
  const codePoints = [...cluster].map((character) => character.codePointAt(0) as number);
  const shown = codePoints.filter((codePoint) => !isIgnorable(codePoint));
  const [first = codePoints[0] ?? 0] = shown;
  const isFavoured = ({ family }: Face) => family.name === favourite;
  const faces = facesOf(first).toSorted((a, b) => Number(isFavoured(b)) - Number(isFavoured(a)));
  const isEmoji = /\p{Emoji_Presentation}|\uFE0F/u.test(cluster);
  const tried = isEmoji ? faces.toReversed() : before ? [before, ...faces] : faces;
  return (
    tried.find((face) => codePoints.every((codePoint) => face.has(codePoint, weight))) ??
    tried.find((face) => shown.every((codePoint) => face.has(codePoint, weight))) ??
    tried.find((face) => face.has(first, weight)) ??
    DEFAULT_FACE
  );
}
