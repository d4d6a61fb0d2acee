import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The keys that sign tickets, and which of a ticket's codes is good. */
export class AddTicketKeys1767000010000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE ticket_keys (
        kid varchar(3) NOT NULL,
        public_key bytea NOT NULL,
        encrypted_private_key bytea,
        secret_fingerprint varchar(8) NOT NULL,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        retired_at timestamptz(3),
        CONSTRAINT ticket_keys_pkey PRIMARY KEY (kid),
        CONSTRAINT ticket_keys_retired_check CHECK ((retired_at IS NULL) = (encrypted_private_key IS NOT NULL))
      )
    `);
    // Of processes that need a first key at once, one makes it.
    await queryRunner.query(`
      CREATE UNIQUE INDEX ticket_keys_one_signs_idx ON ticket_keys (secret_fingerprint) WHERE retired_at IS NULL
    `);
    await queryRunner.query('ALTER TABLE tickets ADD COLUMN generation integer NOT NULL DEFAULT 0');
    await queryRunner.query(ticketStates(', tickets.generation'));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP VIEW ticket_states');
    await queryRunner.query('ALTER TABLE tickets DROP COLUMN generation');
    await queryRunner.query(ticketStates(''));
    await queryRunner.query('DROP TABLE ticket_keys');
  }
}

const ticketStates = (more: string) => `
  CREATE OR REPLACE VIEW ticket_states AS
  SELECT tickets.id, orders.user_id, orders.event_id,
    coalesce(tickets.fate, CASE orders.status WHEN 'held' THEN 'reserved' ELSE orders.status END) AS status,
    orders.created_at, orders.expires_at, orders.paid_at,
    tickets.order_id, tickets.ticket_type_id, tickets.price, tickets.attendee_name, tickets.attendee_email, orders.is_paying${more}
  FROM tickets JOIN orders ON orders.id = tickets.order_id`;
