import { Inject, Injectable, Logger } from '@nestjs/common';
import { Statements } from '../database/statements';
import { PaymentSettlement } from '../inventory/payment-settlement.service';
import { PaymentProvider, ProviderRefusal, type ProviderPayment } from './payment-provider';
import {
  CLAIM_WALK,
  COMPARE_PAYMENTS,
  END_WALK,
  FIND_DIFFERENCES,
  FIND_OVERDUE,
  FIND_UNKNOWN_DISPUTES,
  FORGET_EVENTS,
  NOTE_PAGE,
  valuesOfDisputes,
  valuesToCompare,
  type Compared,
  type Difference,
} from './reconciliation.statements';
import { RefundSending } from './refund-sending';
import { RefundsRepository } from './refunds.repository';

/** Of each kind, and in all: who looks at them needs no more. */
const MOST_DIFFERENCES = 100;
const REFUNDS = 100;
/** A refund that the provider works on is asked about after so long. */
const REFUND_SECONDS = 60;

/** Holds what the provider has in its books against ours: closes what was lost on the way, and names what it can't close. */
@Injectable()
export class Reconciliation {
  private readonly logger = new Logger('Reconciliation');

  constructor(
    @Inject(PaymentProvider) private readonly provider: PaymentProvider | undefined,
    private readonly settlement: PaymentSettlement,
    private readonly sending: RefundSending,
    private readonly refunds: RefundsRepository,
    private readonly statements: Statements,
  ) {}

  /**
   * Walks through the payments that were made at the provider since the last walk, unless another process does. A walk that
   * is killed is gone on with.
   *
   * @throws {ProviderUnavailable}
   */
  async walk(isStopped: () => boolean): Promise<void> {
    const { provider } = this;
    if (!provider) return;
    const [claimed] = await this.statements.run<{ since: Date; cursor: string | null }>(CLAIM_WALK, [
      provider.name,
    ]);
    if (!claimed) return;
    const differences: Difference[] = [];
    let after = claimed.cursor ?? undefined;
    do {
      const { payments, next } = await provider.listSince(claimed.since, after);
      differences.push(...(await this.close(provider, await this.compare(provider, payments))));
      await this.statements.run(NOTE_PAGE, [provider.name, next ?? null]);
      after = next;
    } while (after !== undefined && !isStopped());
    if (after !== undefined) return;
    await this.closeRefunds(provider);
    await this.askAboutSucceeded(provider);
    for (const { payment, paymentId } of await this.findUnknownDisputes(provider, claimed.since))
      await this.takeOver(provider, payment, paymentId);
    differences.push(
      ...(await this.statements.run<Difference>(FIND_OVERDUE, [provider.name, MOST_DIFFERENCES])),
    );
    await this.end(provider, differences.slice(0, MOST_DIFFERENCES));
  }

  /** Those of the payments that are ours and not as ours are. */
  async compare(provider: PaymentProvider, payments: readonly ProviderPayment[]): Promise<Compared[]> {
    const ours = payments.filter(({ paymentId }) => paymentId !== undefined);
    if (ours.length === 0) return [];
    return await this.statements.run<Compared & object>(
      COMPARE_PAYMENTS,
      valuesToCompare(provider.name, ours),
    );
  }

  /** No list of payments tells of a dispute, and its event may be lost. */
  private async findUnknownDisputes(
    provider: PaymentProvider,
    since: Date,
  ): Promise<{ payment: string; paymentId: number }[]> {
    const disputes = await provider.disputesSince(since);
    if (disputes.length === 0) return [];
    return await this.statements.run(FIND_UNKNOWN_DISPUTES, valuesOfDisputes(provider.name, disputes));
  }

  /** @returns what the last walks could not close, by provider */
  async findDifferences(): Promise<{ provider: string; walkedAt: Date; differences: Difference[] }[]> {
    return await this.statements.run<{ provider: string; walkedAt: Date; differences: Difference[] }>(
      FIND_DIFFERENCES,
      [],
    );
  }

  private async close(provider: PaymentProvider, compared: readonly Compared[]): Promise<Difference[]> {
    const differences: Difference[] = [];
    for (const { payment, paymentId, verdict } of compared) {
      if (verdict === 'differs' || verdict === 'refund_unknown')
        await this.takeOver(provider, payment, paymentId);
      else differences.push({ kind: verdict, id: paymentId, payment });
    }
    return differences;
  }

  private async takeOver(provider: PaymentProvider, payment: string, paymentId: number): Promise<void> {
    const said = await provider.get(payment);
    const settled = await this.settlement.apply(provider.name, said, { paymentId });
    const isOpenThere = said.status === 'requires_action' || said.status === 'processing';
    if (settled?.status !== 'failed' || !isOpenThere) return;
    // The caller who began it was told that it failed.
    await this.settlement.apply(provider.name, await cancel(provider, said), { paymentId });
  }

  private async closeRefunds(provider: PaymentProvider): Promise<void> {
    for (let after = 0; ;) {
      const pending = await this.refunds.findOldPending(provider.name, REFUND_SECONDS, REFUNDS, after);
      for (const { providerPayment } of pending) await this.sending.askAll(providerPayment);
      if (pending.length < REFUNDS) return;
      after = pending.at(-1)?.id ?? after;
    }
  }

  /** The event that tells of money which came back may be lost, too. */
  private async askAboutSucceeded(provider: PaymentProvider): Promise<void> {
    for (const { providerPayment } of await this.refunds.claimSucceeded(provider.name, REFUNDS))
      await this.sending.askAll(providerPayment);
  }

  private async end(provider: PaymentProvider, differences: Difference[]): Promise<void> {
    await this.statements.run(END_WALK, [provider.name, JSON.stringify(differences)]);
    await this.statements.run(FORGET_EVENTS, []);
    if (differences.length === 0) return;
    const kinds = [...new Set(differences.map(({ kind }) => kind))].join(', ');
    this.logger.warn({
      msg: `${differences.length} differences with ${provider.name} need a person (${kinds}): see npx tixxety doctor`,
      differences: differences.slice(0, 10),
    });
  }
}

async function cancel(provider: PaymentProvider, said: ProviderPayment): Promise<ProviderPayment> {
  try {
    return await provider.cancel(said.id);
  } catch (error) {
    // Its money is on the way: the next walk sees what became of it.
    if (error instanceof ProviderRefusal) return said;
    throw error;
  }
}
