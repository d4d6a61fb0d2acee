import fc from 'fast-check';
import { DEVICES, TICKETS } from './gate-model';

/**
 * What happens at a gate, one after the other: a guest goes the other way at a device, which asks the server or, without a
 * network, notes it for later. Two guests may have copies of one ticket. Or a device sends some of its notes, of any time.
 */
export type NightStep =
  | { what: 'walk'; ticket: number; guest: number; device: number; isOnline: boolean }
  | { what: 'send'; device: number; from: number; number: number };

/** @param guests how many have copies of each ticket */
export const anyNight = (guests: 1 | 2): fc.Arbitrary<NightStep[]> => {
  const device = fc.nat(DEVICES - 1);
  const walk: fc.Arbitrary<NightStep> = fc.record({
    what: fc.constant('walk'),
    ticket: fc.nat(TICKETS - 1),
    guest: fc.nat(guests - 1),
    device,
    isOnline: fc.boolean(),
  });
  const send: fc.Arbitrary<NightStep> = fc.record({
    what: fc.constant('send'),
    device,
    from: fc.nat(20),
    number: fc.integer({ min: 1, max: 4 }),
  });
  return fc.array(fc.oneof({ weight: 6, arbitrary: walk }, { weight: 1, arbitrary: send }), {
    minLength: 20,
    maxLength: 40,
  });
};

/** What has really happened, in its order, whatever the server has heard of. */
export class Night {
  private readonly passages = Array.from({ length: TICKETS }, () => [] as { device: number; kind: string }[]);
  private readonly inside = new Set<string>();

  /** Where the guest goes next. */
  kindOf({ ticket, guest }: { ticket: number; guest: number }): 'entry' | 'exit' {
    return this.inside.has(`${ticket} ${guest}`) ? 'exit' : 'entry';
  }

  /** The guest went there. */
  pass(step: { ticket: number; guest: number; device: number }): void {
    const kind = this.kindOf(step);
    const guest = `${step.ticket} ${step.guest}`;
    if (kind === 'entry') this.inside.add(guest);
    else this.inside.delete(guest);
    this.passages[step.ticket]?.push({ device: step.device, kind });
  }

  /** What can be known of each ticket: whether its last way was in, and whether two devices let it in in a row. */
  get truth(): { isInside: boolean; isConflict: boolean }[] {
    return this.passages.map((passages) => ({
      isInside: passages.at(-1)?.kind === 'entry',
      isConflict: passages.some(({ device, kind }, i) => {
        const before = passages[i - 1];
        return kind === 'entry' && before?.kind === 'entry' && before.device !== device;
      }),
    }));
  }
}
