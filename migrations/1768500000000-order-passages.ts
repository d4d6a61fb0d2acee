import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CHECK_IN_FUNCTION } from '../src/check-in/check-in.function';

/** Gives each way in or out its time, and keeps what tickets were before, so that late scans are judged by what was then. */
export class OrderPassages1768500000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE check_ins ADD COLUMN passed_at timestamptz(3)');
    // Those of before were judged in the order of their arrival.
    await queryRunner.query(`
      UPDATE check_ins SET passed_at = received_at WHERE passage IS NOT NULL OR result = 'conflict'
    `);
    await queryRunner.query(`
      CREATE INDEX check_ins_passed_at_idx ON check_ins (ticket_id, passed_at, id) WHERE passed_at IS NOT NULL
    `);
    await queryRunner.query(`
      CREATE TABLE ticket_changes (
        ticket_id bigint NOT NULL,
        changed_at timestamptz NOT NULL,
        fate varchar(8),
        generation integer NOT NULL,
        CONSTRAINT ticket_changes_pkey PRIMARY KEY (ticket_id, changed_at)
      )
    `);
    // Where the clock was set back, the earlier change stays.
    await queryRunner.query(
      noteGateChange(`INSERT INTO ticket_changes (ticket_id, changed_at, fate, generation)
        VALUES (OLD.id, clock_timestamp(), OLD.fate, OLD.generation) ON CONFLICT DO NOTHING;`),
    );
    await queryRunner.query(CHECK_IN_FUNCTION);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(CHECK_IN_BEFORE);
    await queryRunner.query(noteGateChange(''));
    await queryRunner.query('DROP TABLE ticket_changes');
    await queryRunner.query('ALTER TABLE check_ins DROP COLUMN passed_at');
  }
}

const noteGateChange = (more: string) => `
  CREATE OR REPLACE FUNCTION note_gate_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO gate_changes (event_id, ticket_id, changed_in)
        SELECT event_id, NEW.id, pg_current_xact_id()::text::bigint FROM orders WHERE id = NEW.order_id
        ON CONFLICT (ticket_id) DO UPDATE SET changed_in = excluded.changed_in;
        ${more}
        RETURN NULL;
      END
      $$`;

/** As it was: the build before it has no `passed_at`. */
const CHECK_IN_BEFORE = `
CREATE OR REPLACE FUNCTION check_in(
  event_ids bigint[], device_ids bigint[], user_ids bigint[], nonces text[], ticket_ids bigint[], generations bigint[],
  kinds text[], scan_times timestamptz[], are_late boolean[]
) RETURNS TABLE (
  n integer, result text, "isRepeated" boolean, "ticketId" bigint, "typeName" text, "attendeeName" text,
  "earlierAt" timestamptz, "earlierDeviceId" bigint, "earlierDeviceName" text
) LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  received CONSTANT timestamptz := date_trunc('milliseconds', clock_timestamp());
  scan record;
  -- The ticket that is looked at, and what let it in, or out, last.
  ticket bigint;
  last_id bigint;
  last_passage integer;
  last_at timestamptz;
  last_device_id bigint;
  last_device_name text;
  last_user_id bigint;
  id bigint;
  way integer;
  -- What is to be kept.
  ns integer[];
  ids bigint[];
  own_ids bigint[];
  results text[];
  ways integer[];
  earlier_ids bigint[];
BEGIN
  -- In the sequence of their tickets: batches of two processes then don't wait for each other in a circle.
  FOR scan IN
    SELECT asked.*, least(asked.at, received) AS scanned_at, device.id IS NULL AND asked.device_id IS NOT NULL AS is_unknown,
      device.name AS device_name, kept.result AS kept_result, ticket.id AS ticket_id, ticket.event_id = asked.event_id AS is_own,
      ticket.type_name, ticket.attendee_name, last.id AS last_id, last.passage AS last_passage, last.scanned_at AS last_at,
      last.device_id AS last_device_id, last.user_id AS last_user_id,
      (SELECT devices.name FROM devices WHERE devices.id = last.device_id) AS last_device_name,
      CASE
        WHEN ticket.id IS NULL THEN 'not_valid'
        WHEN ticket.event_id <> asked.event_id THEN 'wrong_event'
        WHEN ticket.event_status = 'cancelled' OR ticket.status = 'refunded' THEN 'void'
        WHEN ticket.fate = 'blocked' THEN 'blocked'
        WHEN ticket.fate IS NOT NULL OR asked.generation <> ticket.generation THEN 'void'
        WHEN ticket.status <> 'paid' THEN 'not_paid'
      END AS refusal
    FROM unnest(event_ids, device_ids, user_ids, nonces, ticket_ids, generations, kinds, scan_times, are_late)
      WITH ORDINALITY AS asked (event_id, device_id, user_id, nonce, scanned_id, generation, kind, at, is_late, n)
    LEFT JOIN LATERAL (
      SELECT devices.id, devices.name FROM devices
      WHERE devices.id = asked.device_id AND devices.event_id = asked.event_id AND devices.revoked_at IS NULL OFFSET 0
    ) AS device ON true
    LEFT JOIN LATERAL (
      SELECT check_ins.id, check_ins.result, check_ins.ticket_id, check_ins.earlier_id FROM check_ins
      WHERE check_ins.device_id = asked.device_id AND check_ins.nonce = asked.nonce
      UNION ALL
      SELECT check_ins.id, check_ins.result, check_ins.ticket_id, check_ins.earlier_id FROM check_ins
      WHERE asked.device_id IS NULL AND check_ins.device_id IS NULL AND check_ins.user_id = asked.user_id
        AND check_ins.nonce = asked.nonce AND check_ins.event_id + 0 = asked.event_id
      OFFSET 0
    ) AS kept ON true
    LEFT JOIN LATERAL (
      SELECT tickets.id, tickets.fate, tickets.generation, tickets.attendee_name, orders.event_id, orders.status,
        (SELECT events.status FROM events WHERE events.id = orders.event_id) AS event_status,
        (SELECT ticket_types.name FROM ticket_types WHERE ticket_types.id = tickets.ticket_type_id) AS type_name
      FROM tickets JOIN orders ON orders.id = tickets.order_id
      WHERE tickets.id = CASE WHEN kept.id IS NULL THEN asked.scanned_id ELSE kept.ticket_id END
      OFFSET 0
    ) AS ticket ON true
    LEFT JOIN LATERAL (
      (
        SELECT check_ins.id, check_ins.passage, check_ins.scanned_at, check_ins.device_id, check_ins.user_id FROM check_ins
        WHERE kept.id IS NULL AND check_ins.ticket_id = asked.scanned_id AND check_ins.passage IS NOT NULL
        ORDER BY check_ins.passage DESC
        LIMIT 1
      )
      UNION ALL
      SELECT check_ins.id, check_ins.passage, check_ins.scanned_at, check_ins.device_id, check_ins.user_id FROM check_ins
      WHERE check_ins.id = kept.earlier_id
      OFFSET 0
    ) AS last ON true
    ORDER BY asked.scanned_id, asked.n
  LOOP
    n := scan.n;
    result := NULL;
    "isRepeated" := scan.kept_result IS NOT NULL;
    "ticketId" := CASE WHEN scan.is_own THEN scan.ticket_id END;
    "typeName" := scan.type_name;
    "attendeeName" := scan.attendee_name;
    "earlierAt" := NULL;
    "earlierDeviceId" := NULL;
    "earlierDeviceName" := NULL;
    IF scan.is_unknown THEN
      RETURN NEXT;
      CONTINUE;
    ELSIF "isRepeated" THEN
      result := scan.kept_result;
      "earlierAt" := scan.last_at;
      "earlierDeviceId" := scan.last_device_id;
      "earlierDeviceName" := scan.last_device_name;
      RETURN NEXT;
      CONTINUE;
    ELSIF ticket IS DISTINCT FROM scan.ticket_id OR ticket IS NULL THEN
      ticket := scan.ticket_id;
      last_id := scan.last_id;
      last_passage := scan.last_passage;
      last_at := scan.last_at;
      last_device_id := scan.last_device_id;
      last_device_name := scan.last_device_name;
      last_user_id := scan.last_user_id;
    END IF;

    -- An even passage leads in, an odd one out. Who is inside may go, whatever became of the ticket meanwhile.
    way := NULL;
    IF scan.is_own AND scan.kind = 'exit' AND last_passage % 2 = 0 THEN
      result := 'left';
      way := last_passage + 1;
    ELSIF scan.refusal IS NOT NULL THEN
      result := scan.refusal;
    ELSIF scan.kind = 'exit' THEN
      result := 'left';
    ELSIF last_passage IS NULL OR last_passage % 2 = 1 THEN
      result := 'admitted';
      way := coalesce(last_passage + 1, 0);
    ELSIF scan.is_late AND (last_device_id, last_user_id) IS DISTINCT FROM (scan.device_id, scan.user_id) THEN
      result := 'conflict';
    ELSE
      result := 'already_in';
    END IF;

    id := nextval('check_ins_id_seq');
    ns := ns || n;
    ids := ids || id;
    own_ids := own_ids || "ticketId";
    results := results || result;
    ways := ways || way;
    IF way IS NULL AND result IN ('already_in', 'conflict', 'left') THEN
      "earlierAt" := last_at;
      "earlierDeviceId" := last_device_id;
      "earlierDeviceName" := last_device_name;
      earlier_ids := earlier_ids || last_id;
    ELSE
      earlier_ids := earlier_ids || NULL::bigint;
    END IF;
    IF way IS NOT NULL THEN
      last_id := id;
      last_passage := way;
      last_at := scan.scanned_at;
      last_device_id := scan.device_id;
      last_device_name := scan.device_name;
      last_user_id := scan.user_id;
    END IF;
    RETURN NEXT;
  END LOOP;

  INSERT INTO check_ins (
    id, event_id, device_id, user_id, nonce, ticket_id, kind, result, passage, scanned_at, received_at, earlier_id
  )
  SELECT made.id, event_ids[made.n], device_ids[made.n], user_ids[made.n], nonces[made.n], made.ticket_id, kinds[made.n],
    made.result, made.passage, least(scan_times[made.n], received), received, made.earlier_id
  FROM unnest(ns, ids, own_ids, results, ways, earlier_ids) AS made (n, id, ticket_id, result, passage, earlier_id);
END
$$`;
