import { createHmac } from 'node:crypto';
import fastq from 'fastq';
import type { Pool } from 'pg';
import { HttpCaller } from '../../../http/http-call';

export interface SandboxEvent {
  number: number;
  id: string;
  type: string;
  payment: string;
  metadata: Record<string, string>;
  createdAt: Date;
  attempts: number;
}

/** The columns of a `SandboxEvent`. */
export const EVENT = 'number, id, type, payment, metadata, created_at AS "createdAt", attempts';

/**
 * Longer than a delivery that is under way takes. After it, the sweep of any process delivers the event: the process that
 * wrote it was killed.
 */
export const LEASE_MS = 3_000;
const TIMEOUT_MS = 2_500;
/** An event mostly comes after the answer to the call that it tells of, as with other providers. */
const AFTER_MS = 50;
const AT_ONCE = 32;
/** So many that are due are claimed at a look. */
const CLAIM = 100;
const LONGEST_PAUSE_MS = 30_000;
/** About a day. */
const MOST_ATTEMPTS = 3_000;

/** Delivers events until they are answered with 2xx: at least once, in any order, as other providers do. */
export class EventSender {
  private readonly caller = new HttpCaller(AT_ONCE);
  private readonly queue = fastq.promise((event: SandboxEvent) => this.deliver(event), AT_ONCE);
  private delivered: number[] = [];
  private isStopped = false;

  /**
   * @param url where events go; asked for each, since a server learns its port late
   * @param secret that of the account
   */
  constructor(
    private readonly pool: Pool,
    private readonly url: () => string,
    private readonly secret: string,
  ) {}

  /** Delivers events whose lease this process has, in a moment; nothing waits for it. */
  send(events: SandboxEvent[]): void {
    if (events.length === 0) return;
    setTimeout(() => {
      // An event that is not delivered is found in the books.
      if (!this.isStopped) for (const event of events) void this.queue.push(event);
    }, AFTER_MS);
  }

  /** Resolves after the first attempt. */
  async sendNow(events: SandboxEvent[]): Promise<void> {
    await Promise.all(events.map((event) => this.queue.push(event)));
  }

  /** Claims what is due, and delivers it. */
  async sweep(): Promise<void> {
    if (this.queue.length() > 0) return;
    const { rows } = await this.pool.query<SandboxEvent>(
      `UPDATE sandbox.events SET next_at = now() + $1 * interval '1 ms'
      WHERE number IN (
        SELECT number FROM sandbox.events WHERE next_at <= now() ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED)
      RETURNING ${EVENT}`,
      [LEASE_MS, CLAIM],
    );
    this.send(rows);
  }

  /** Takes what was delivered off the list; called at short intervals. */
  async forgetDelivered(): Promise<void> {
    if (this.delivered.length === 0) return;
    const numbers = this.delivered;
    this.delivered = [];
    await this.pool.query('DELETE FROM sandbox.events WHERE number = ANY ($1)', [numbers]);
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.queue.kill();
    await this.forgetDelivered().catch(() => undefined);
    this.caller.close();
  }

  private async deliver(event: SandboxEvent): Promise<void> {
    if (await this.post(event)) this.delivered.push(event.number);
    else await this.putOff(event).catch(() => undefined); // its lease ends
  }

  private async post({ id, type, payment, metadata, createdAt }: SandboxEvent): Promise<boolean> {
    const body = JSON.stringify({
      id,
      type,
      created_at: createdAt.toISOString(),
      data: { payment, metadata },
    });
    try {
      const { status } = await this.caller.call(this.url(), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Sandbox-Signature': sign(body, this.secret) },
        body,
        timeoutMs: TIMEOUT_MS,
        maxBytes: 64 * 1_024,
      });
      return status >= 200 && status < 300;
    } catch {
      return false;
    }
  }

  private async putOff({ number, attempts }: SandboxEvent): Promise<void> {
    if (attempts >= MOST_ATTEMPTS) {
      this.delivered.push(number);
      return;
    }
    await this.pool.query(
      `UPDATE sandbox.events SET attempts = attempts + 1, next_at = now() + $2 * interval '1 ms' WHERE number = $1`,
      [number, Math.min(500 * 2 ** Math.min(attempts, 10), LONGEST_PAUSE_MS)],
    );
  }
}

/** As Stripe signs: the time is part of what is signed, so that an old event can be told. */
function sign(body: string, secret: string): string {
  const time = Math.floor(Date.now() / 1_000);
  const signature = createHmac('sha256', secret).update(`${time}.${body}`).digest('hex');
  return `t=${time},v1=${signature}`;
}
