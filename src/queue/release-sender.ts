/** Asks for holds to be released on time. Only ever a wake-up: what is due is decided by the database. */
export abstract class ReleaseSender {
  /**
   * Returns at once and never throws; a wake-up that is lost is made good by the sweeper.
   *
   * @param expiresAt when the hold is due, by the database's clock
   * @param expiresInMs the same as a delay, so that this machine's clock does not matter
   */
  abstract send(expiresAt: Date, expiresInMs: number): void;
}

/** Without Redis the sweeper of this very process is quick enough to need no wake-up. */
export class NoReleaseSender extends ReleaseSender {
  override send(): void {}
}
