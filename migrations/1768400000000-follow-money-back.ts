import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A refund that succeeded may come back days later: its bank did not take it. A bank may dispute a part of a payment, and
 * then another. So the ledger counts each refund and each dispute at the provider once out and once back. Somebody may refund a
 * payment in the provider's dashboard: what it gave back in all is kept beside what we know of.
 */
export class FollowMoneyBack1768400000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('LOCK TABLE payments, refunds, ledger IN ACCESS EXCLUSIVE MODE');
    await queryRunner.query(`
      ALTER TABLE refunds
        ADD COLUMN returned_refund varchar(255),
        ADD COLUMN ask_at timestamptz(3)
    `);
    // What was noted by hand keeps the reason for which the provider had failed: of that, nothing can come back.
    await queryRunner.query(`
      UPDATE refunds SET provider_refund = NULL WHERE status = 'succeeded' AND failure_code IS NOT NULL
    `);
    await queryRunner.query(`
      UPDATE refunds SET ask_at = now()
      WHERE status = 'succeeded' AND provider_refund IS NOT NULL AND closed_at > now() - interval '32 days'
    `);
    await queryRunner.query('CREATE INDEX refunds_ask_idx ON refunds (ask_at) WHERE ask_at IS NOT NULL');
    await queryRunner.query(`
      ALTER TABLE ledger
        ADD COLUMN source varchar(255) NOT NULL DEFAULT '',
        ALTER COLUMN kind TYPE varchar(13),
        DROP CONSTRAINT ledger_kind_check,
        DROP CONSTRAINT ledger_amount_check,
        DROP CONSTRAINT ledger_refund_check,
        ADD CONSTRAINT ledger_kind_check CHECK (kind IN ('charge', 'refund', 'refund_failed', 'dispute', 'dispute_won')),
        ADD CONSTRAINT ledger_amount_check CHECK ((amount > 0) = (kind IN ('charge', 'refund_failed', 'dispute_won'))),
        ADD CONSTRAINT ledger_refund_check CHECK ((kind IN ('refund', 'refund_failed')) = (refund_id IS NOT NULL))
    `);
    await queryRunner.query('DROP INDEX ledger_refund_id_idx, ledger_payment_id_kind_idx');
    await queryRunner.query(
      'CREATE UNIQUE INDEX ledger_refund_id_idx ON ledger (refund_id, kind, source) WHERE refund_id IS NOT NULL',
    );
    await queryRunner.query(
      'CREATE UNIQUE INDEX ledger_payment_id_kind_idx ON ledger (payment_id, kind, source) WHERE refund_id IS NULL',
    );
    await queryRunner.query(`
      ALTER TABLE payments
        ADD COLUMN disputes jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN lost bigint NOT NULL DEFAULT 0,
        ADD COLUMN refunded bigint NOT NULL DEFAULT 0
    `);
    await queryRunner.query(
      'CREATE INDEX payments_overrefunded_idx ON payments (id) WHERE refunded > giving_back',
    );
    // Until now a dispute counted as the whole payment.
    await queryRunner.query(`UPDATE payments SET lost = coalesce(taken, amount) WHERE dispute = 'lost'`);
  }

  /** Forgets what went out and came back: of each refund that stands one entry is left, and of disputes the last. */
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('LOCK TABLE payments, refunds, ledger IN ACCESS EXCLUSIVE MODE');
    await queryRunner.query('ALTER TABLE ledger DISABLE TRIGGER ledger_is_append_only');
    await queryRunner.query(`
      DELETE FROM ledger WHERE kind = 'refund_failed' OR kind = 'refund' AND NOT EXISTS (
        SELECT FROM refunds WHERE refunds.id = refund_id AND status = 'succeeded'
      ) OR kind = 'refund' AND EXISTS (
        SELECT FROM ledger AS later
        WHERE later.refund_id = ledger.refund_id AND later.kind = 'refund' AND later.id > ledger.id
      )
    `);
    await queryRunner.query(`
      DELETE FROM ledger WHERE kind LIKE 'dispute%' AND EXISTS (
        SELECT FROM ledger AS later
        WHERE later.payment_id = ledger.payment_id AND later.kind IN (ledger.kind, 'dispute') AND later.id > ledger.id
      )
    `);
    await queryRunner.query('ALTER TABLE ledger ENABLE TRIGGER ledger_is_append_only');
    await queryRunner.query(
      'ALTER TABLE payments DROP COLUMN disputes, DROP COLUMN lost, DROP COLUMN refunded',
    );
    await queryRunner.query('DROP INDEX ledger_refund_id_idx, ledger_payment_id_kind_idx');
    await queryRunner.query(`
      ALTER TABLE ledger
        DROP CONSTRAINT ledger_kind_check,
        DROP CONSTRAINT ledger_amount_check,
        DROP CONSTRAINT ledger_refund_check,
        DROP COLUMN source,
        ALTER COLUMN kind TYPE varchar(11),
        ADD CONSTRAINT ledger_kind_check CHECK (kind IN ('charge', 'refund', 'dispute', 'dispute_won')),
        ADD CONSTRAINT ledger_amount_check CHECK ((amount > 0) = (kind IN ('charge', 'dispute_won'))),
        ADD CONSTRAINT ledger_refund_check CHECK ((kind = 'refund') = (refund_id IS NOT NULL))
    `);
    await queryRunner.query(
      'CREATE UNIQUE INDEX ledger_refund_id_idx ON ledger (refund_id) WHERE refund_id IS NOT NULL',
    );
    await queryRunner.query(
      'CREATE UNIQUE INDEX ledger_payment_id_kind_idx ON ledger (payment_id, kind) WHERE refund_id IS NULL',
    );
    await queryRunner.query('ALTER TABLE refunds DROP COLUMN ask_at, DROP COLUMN returned_refund');
  }
}
