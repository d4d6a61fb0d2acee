export const CHECK_IN_KINDS = ['entry', 'exit'] as const;

export type CheckInKind = (typeof CHECK_IN_KINDS)[number];

/**
 * What a scan comes to. A `conflict` is only found later: two devices, one of them without a network, have let the same
 * ticket in, and no exit between is known. Tickets of other events: `wrong_event` for who shows the code of one, and for ids
 * of events of the same organizer; other ids are `not_valid`, as those of no ticket.
 */
export const SCAN_RESULTS = [
  'admitted',
  'already_in',
  'left',
  'void',
  'blocked',
  'not_paid',
  'wrong_event',
  'not_valid',
  'conflict',
] as const;

export type ScanResult = (typeof SCAN_RESULTS)[number];
