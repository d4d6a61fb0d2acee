/** Takes away all that was started or made, in the reverse order, after a failure too. */
export class Cleanup {
  private readonly steps: (() => unknown)[] = [];
  private running?: Promise<void>;

  /** What comes to be while everything is being taken away goes at once. */
  add(step: () => unknown): void {
    if (this.running) void step();
    else this.steps.push(step);
  }

  /** Takes every step, also after one that fails. Safe to call twice: a signal may come while it is under way. */
  run(): Promise<void> {
    return (this.running ??= this.takeSteps());
  }

  private async takeSteps(): Promise<void> {
    const failures: unknown[] = [];
    for (let step = this.steps.pop(); step; step = this.steps.pop()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'Not everything could be cleaned up');
  }
}
