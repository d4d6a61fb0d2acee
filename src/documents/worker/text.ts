import bidiFactory from 'bidi-js';
import { faceOf, favouriteOf, type Face, type Weight } from './fonts';

const bidi = bidiFactory();
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Some characters of a line that one face draws in one direction. */
export interface Run {
  text: string;
  face: Face;
  isRtl: boolean;
  width: number;
}

/** Runs from left to right. */
export type Line = Run[];

/** A character as a reader sees it, or several. */
interface Cluster {
  text: string;
  face: Face;
  level: number;
}

/**
 * Breaks a paragraph into lines and puts their pieces into the order in which they are seen (Unicode's bidirectional
 * algorithm), each with a face that has its characters.
 */
export class Paragraph {
  private readonly words: Cluster[][];
  private readonly widths = new Map<string, number>();

  constructor(
    text: string,
    private readonly weight: Weight,
  ) {
    // What turns the direction of text around could make a name look like another.
    const clusters = clustersOf(
      text.replace(/[\p{Cc}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]+/gu, ' ').trim(),
      weight,
    );
    this.words = wordsOf(clusters);
  }

  /** @returns at most so many lines, the last of which ends with an ellipsis where there is more */
  lines(size: number, maxWidth: number, maxLines: number): { lines: Line[]; isCut: boolean } {
    const broken = this.broken(maxWidth / size);
    const shown = broken.slice(0, maxLines);
    const isCut = broken.length > maxLines;
    if (isCut) shown.push(this.cut(shown.pop() ?? [], maxWidth / size));
    return { lines: shown.map((line) => this.inOrder(line, size)), isCut };
  }

  /** Breaks at spaces, and within what is longer than a line. */
  private broken(maxWidth: number): Cluster[][] {
    const lines: Cluster[][] = [];
    let line: Cluster[] = [];
    let width = 0;
    const add = (clusters: Cluster[]) => {
      if (line.length > 0 && width + this.widthOf(trimmed(clusters)) > maxWidth) {
        lines.push(trimmed(line));
        [line, width] = [[], 0];
      }
      line.push(...clusters);
      width += this.widthOf(clusters);
    };
    for (const word of this.words) {
      if (this.widthOf(trimmed(word)) <= maxWidth) add(word);
      else for (const cluster of word) add([cluster]);
    }
    if (line.length > 0) lines.push(trimmed(line));
    return lines;
  }

  private cut(line: Cluster[], maxWidth: number): Cluster[] {
    const dots: Cluster = { text: '…', face: faceOf('…', this.weight), level: line.at(-1)?.level ?? 0 };
    let kept = line;
    while (kept.length > 1 && this.widthOf([...kept, dots]) > maxWidth) kept = kept.slice(0, -1);
    return [...kept, dots];
  }

  /** Rule L2: from the highest level down, what is at a level or above is turned around. */
  private inOrder(clusters: Cluster[], size: number): Line {
    const runs = runsOf(clusters);
    const highest = Math.max(0, ...runs.map(({ level }) => level));
    for (let level = highest; level > 0; level--) {
      for (let start = 0; start < runs.length; start++) {
        let end = start;
        while ((runs[end]?.level ?? 0) >= level) end++;
        if (end > start + 1) runs.splice(start, end - start, ...runs.slice(start, end).reverse());
        start = Math.max(start, end - 1);
      }
    }
    return runs.map((run) => ({ ...run, isRtl: isRtl(run), width: this.measure(run) * size }));
  }

  /** At a size of 1. */
  private widthOf(clusters: Cluster[]): number {
    return runsOf(clusters).reduce((sum, run) => sum + this.measure(run), 0);
  }

  /** At a size of 1. */
  private measure(run: Cluster): number {
    const key = `${run.level} ${run.text}`;
    let width = this.widths.get(key);
    if (width === undefined) {
      const font = run.face.font(this.weight);
      run.face.isRtl = isRtl(run);
      width = font.layout(run.text).advanceWidth / font.unitsPerEm;
      this.widths.set(key, width);
    }
    return width;
  }
}

function clustersOf(text: string, weight: Weight): Cluster[] {
  const { levels } = bidi.getEmbeddingLevels(inBasicPlane(text));
  const mirrored = bidi.getMirroredCharactersMap(text, levels);
  const favourite = favouriteOf(text);
  let face: Face | undefined;
  return Array.from(graphemes.segment(text), ({ segment, index }) => {
    const cluster = mirrored.get(index) ?? segment;
    face = faceOf(cluster, weight, favourite, face);
    return { text: cluster, face, level: levels[index] ?? 0 };
  });
}

/** The algorithm's library takes each half of a surrogate pair for a letter that is read from left to right. */
const inBasicPlane = (text: string) =>
  text.replace(
    /[\u{10000}-\u{10FFFF}]/gu,
    (character) => STAND_INS[bidi.getBidiCharTypeName(character)] ?? '\uFFFC\uFFFC',
  );

/** By the type of a character; others stand for themselves alone, as emoji do. */
const STAND_INS: Partial<Record<string, string>> = { L: 'aa', R: '\u05D0\u05D0', AL: '\u0627\u0627' };

/** Each with the spaces behind it. */
function wordsOf(clusters: Cluster[]): Cluster[][] {
  const words: Cluster[][] = [];
  clusters.forEach((cluster, i) => {
    const before = clusters[i - 1];
    if (!before || (isSpace(before) && !isSpace(cluster))) words.push([cluster]);
    else words.at(-1)?.push(cluster);
  });
  return words;
}

/** What stands together in one face and direction, in the order in which it is read. */
function runsOf(clusters: Cluster[]): Cluster[] {
  const runs: Cluster[] = [];
  for (const cluster of clusters) {
    const last = runs.at(-1);
    if (last?.face === cluster.face && last.level === cluster.level) last.text += cluster.text;
    else runs.push({ ...cluster });
  }
  return runs;
}

const isRtl = ({ level }: Cluster) => level % 2 === 1;

const isSpace = ({ text }: Cluster) => /^\s+$/.test(text);

/** Spaces at the end of a line are not seen. */
function trimmed(clusters: Cluster[]): Cluster[] {
  const last = clusters.findLastIndex((cluster) => !isSpace(cluster));
  return clusters.slice(0, last + 1);
}
