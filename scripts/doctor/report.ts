import { say } from '../run-script';

/** `warning`: works, but not as it should; `unchecked`: could not be looked at. */
export type Status = 'ok' | 'warning' | 'wrong' | 'unchecked';

export interface Finding {
  status: Status;
  /** What was found, in words, without secrets. */
  message: string;
  /** What to do about it. */
  advice?: string;
  /** One by one, what the message sums up. */
  details?: { message: string }[];
}

/** The finding that an error becomes when it kept a check from coming to an end. */
export const unchecked = ({ message }: Error): Finding => ({ status: 'unchecked', message });

const MARKS: Record<Status, [onTerminal: string, elsewhere: string]> = {
  ok: ['✓', 'ok       '],
  warning: ['!', 'warning  '],
  wrong: ['✗', 'WRONG    '],
  unchecked: ['?', 'UNCHECKED'],
};
/** As much as a person reads; JSON has them all. */
const MOST_DETAILS = 20;

/** What the doctor finds: line by line for a person, or as one JSON document. */
export class Report {
  readonly checks: ({ check: string } & Finding)[] = [];

  constructor(private readonly isJson: boolean) {}

  /** Takes down the findings of a check; an error that ends the check early is a finding, too. */
  async add(check: string, finding: Finding | Promise<Finding>): Promise<void> {
    const found = await settle(finding);
    this.checks.push({ check, ...found });
    if (!this.isJson) print(check, found);
  }

  /** Sums up for the reader. */
  end(): void {
    if (this.isJson) {
      say(JSON.stringify({ status: this.status, checks: this.checks }, null, 2));
      return;
    }
    const [wrong, unknown, warnings] = [this.count('wrong'), this.count('unchecked'), this.count('warning')];
    const counts = [
      this.status === 'ok' && 'sound',
      wrong > 0 && `${wrong} wrong`,
      unknown > 0 && `${unknown} could not be made`,
      warnings > 0 && plural(warnings, 'warning'),
    ];
    say(`${plural(this.checks.length, 'check')}: ${counts.filter(Boolean).join(', ')}.`);
  }

  get exitCode(): number {
    return { ok: 0, wrong: 1, unchecked: 2 }[this.status];
  }

  private get status(): 'ok' | 'wrong' | 'unchecked' {
    if (this.count('unchecked') > 0) return 'unchecked';
    return this.count('wrong') > 0 ? 'wrong' : 'ok';
  }

  private count(status: Status): number {
    return this.checks.filter((each) => each.status === status).length;
  }
}

async function settle(finding: Finding | Promise<Finding>): Promise<Finding> {
  try {
    return await finding;
  } catch (error) {
    return unchecked(error as Error);
  }
}

function print(check: string, { status, message, advice, details = [] }: Finding): void {
  const mark = MARKS[status][process.stdout.isTTY ? 0 : 1];
  const indent = ' '.repeat(mark.length + 1);
  say(`${mark} ${check.padEnd(17)} ${message}`);
  for (const detail of details.slice(0, MOST_DETAILS)) say(`${indent}- ${detail.message}`);
  if (details.length > MOST_DETAILS)
    say(`${indent}- and ${details.length - MOST_DETAILS} more; --json has them all`);
  if (advice) say(`${indent}> ${advice}`);
}

export const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;
