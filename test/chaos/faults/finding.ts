/** What was held against what must hold. */
export interface Finding {
  mustHold: string;
  measured: string;
  isOk: boolean;
}

/** A duration that must not be exceeded. */
export const within = (mustHold: string, ms: number, limitMs: number): Finding => ({
  mustHold: `${mustHold} within ${seconds(limitMs)}`,
  measured: seconds(ms),
  isOk: ms <= limitMs,
});

export const seconds = (ms: number) => `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
