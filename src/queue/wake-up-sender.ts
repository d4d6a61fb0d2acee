/** Wakes workers. Only ever a hint that may be lost: the database decides and remembers, and workers sweep. */
export abstract class WakeUpSender {
  /**
   * Wakes a worker when a hold is due. Returns at once and never throws.
   *
   * @param expiresAt when the hold is due, by the database's clock
   * @param expiresInMs the same as a delay, so that this machine's clock does not matter
   */
  abstract wakeAtExpiry(expiresAt: Date, expiresInMs: number): void;

  /** Wakes a worker now, for what the outbox has. Returns at once and never throws. */
  abstract wakeRelay(): void;
}

/** Without Redis the sweeps of this very process are quick enough to need no wake-up. */
export class NoWakeUpSender extends WakeUpSender {
  override wakeAtExpiry(): void {}
  override wakeRelay(): void {}
}
