import fc from 'fast-check';

export type Fate = 'void' | 'refunded' | 'blocked' | null;

/** What somebody does at a gate, or with a ticket. Codes of before are scanned, too: `isOld`. */
export type GateStep =
  | { what: 'scan'; device: number; ticket: number; kind: 'entry' | 'exit'; isOld: boolean }
  | { what: 'late'; device: number; scans: { ticket: number; kind: 'entry' | 'exit'; isOld: boolean }[] }
  | { what: 'repeat'; scan: number }
  | { what: 'handOn'; ticket: number }
  | { what: 'fate'; ticket: number; fate: Fate };

export const TICKETS = 4;
export const DEVICES = 3;

const ticket = fc.nat(TICKETS - 1);
const device = fc.nat(DEVICES - 1);
const kind = fc.oneof(
  { weight: 3, arbitrary: fc.constant('entry' as const) },
  { weight: 2, arbitrary: fc.constant('exit' as const) },
);
const isOld = fc.oneof(
  { weight: 4, arbitrary: fc.constant(false) },
  { weight: 1, arbitrary: fc.constant(true) },
);

export const anyScan: fc.Arbitrary<GateStep> = fc.record({
  what: fc.constant('scan'),
  device,
  ticket,
  kind,
  isOld,
});
const late: fc.Arbitrary<GateStep> = fc.record({
  what: fc.constant('late'),
  device,
  scans: fc.array(fc.record({ ticket, kind, isOld }), { minLength: 1, maxLength: 6 }),
});

export const anyGateStep: fc.Arbitrary<GateStep> = fc.oneof(
  { weight: 8, arbitrary: anyScan },
  { weight: 3, arbitrary: late },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('repeat' as const), scan: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('handOn' as const), ticket }) },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('fate' as const),
      ticket,
      fate: fc.constantFrom<Fate>('void', 'refunded', 'blocked', null, null),
    }),
  },
);

/** What one scan after the other can rely on. */
export class GateModel {
  private readonly tickets = Array.from({ length: TICKETS }, () => ({
    /** The device that let it in last, as far as it is known. */
    inBy: undefined as number | undefined,
    fate: null as Fate,
  }));

  scan(
    { device, ticket: number, kind, isOld }: { device: number; ticket: number; kind: string; isOld: boolean },
    isLate = false,
  ): string {
    const scanned = this.tickets[number] as GateModel['tickets'][number];
    const refusal =
      scanned.fate === 'blocked' ? 'blocked' : scanned.fate !== null || isOld ? 'void' : undefined;
    if (kind === 'exit') {
      if (scanned.inBy === undefined) return refusal ?? 'left';
      scanned.inBy = undefined;
      return 'left';
    }
    if (refusal) return refusal;
    if (scanned.inBy === undefined) {
      scanned.inBy = device;
      return 'admitted';
    }
    if (!isLate || scanned.inBy === device) return 'already_in';
    scanned.inBy = device;
    return 'conflict';
  }

  decide(number: number, fate: Fate): void {
    (this.tickets[number] as GateModel['tickets'][number]).fate = fate;
  }

  /** How many are in. */
  get inside(): number {
    return this.tickets.filter(({ inBy }) => inBy !== undefined).length;
  }
}
