/** Numbers that look random and are the same in every run with the same seed (mulberry32). */
export class Random {
  private state: number;

  /** @param stream separates clients that draw beside each other: a draw of one must not change what another gets */
  constructor(seed: number, stream: string) {
    this.state = seed >>> 0;
    for (const character of stream)
      this.state = Math.imul(this.state ^ (character.codePointAt(0) ?? 0), 0x9e3779b1);
  }

  /** From 0 up to, but not including, 1. */
  fraction(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.fraction() * (to - from + 1));
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.between(0, items.length - 1)] as Item;
  }

  isLucky(chance: number): boolean {
    return this.fraction() < chance;
  }

  shuffle<Item>(items: readonly Item[]): Item[] {
    const shuffled = [...items];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const k = this.between(0, i);
      [shuffled[i], shuffled[k]] = [shuffled[k] as Item, shuffled[i] as Item];
    }
    return shuffled;
  }
}
