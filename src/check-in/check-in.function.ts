/** What keeps late scans from being misjudged. Tests take a guard out, and show what then goes wrong. */
export const CHECK_IN_GUARDS = {
  /** SQL: whether a scan is judged at the time of its device. */
  isPast: 'scan.is_late AND scan.scanned_at < received',
  /** SQL: what lets late scans of a ticket see each other. */
  lock: `PERFORM pg_advisory_xact_lock(hashtextextended('ticket ' || ticket, 0));`,
};

/**
 * SQL that makes the function `check_in`. A migration runs it, so another migration goes with every change.
 *
 * A function, where TypeScript could decide between a look and an insert: a scan then waits for one statement and one commit.
 * What there is to know is read without a lock: of processes that let the same ticket in, the unique index of passages fails
 * all but one, and these look again. All is inserted at once: a row by itself takes PostgreSQL as long as ten together.
 *
 * A late scan is judged by its place in the history of its ticket: by its neighbours of `passed_at`, and by what the ticket
 * was then. It changes who is inside only where it is the newest. Late scans of a ticket wait for each other, so that each
 * sees the one before. An exit of whom nobody saw come in waits with them: it is kept for an entry that arrives after it.
 *
 * Of the scans: events, devices or accounts that scanned, nonces, tickets (null: what was scanned is none), the generations
 * of their codes (null: any), kinds, times (null: now), and whether they come late, from a device without a network. No
 * nonce is there twice.
 *
 * Answers a row for each, which `n` counts from 1: what it came to (null: its device is not good), whether it was sent
 * before, the ticket where it is one of the event, and what let it in, or out, before. One that was sent before has the answer
 * of then.
 */
export const checkInFunction = (guards: Partial<typeof CHECK_IN_GUARDS> = {}): string => {
  const { isPast, lock } = { ...CHECK_IN_GUARDS, ...guards };
  return `
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
  last_passed_at timestamptz;
  last_device_id bigint;
  last_device_name text;
  id bigint;
  way integer;
  refusal text;
  is_inside boolean;
  -- Where the scan stands in the history, what stands there around it, and what the ticket was then.
  passing_at timestamptz;
  is_passing boolean;
  before record;
  after record;
  earlier_id bigint;
  was record;
  -- Which of what is to be kept stands last in the history of the ticket.
  own integer;
  -- What is to be kept.
  ns integer[];
  ids bigint[];
  own_ids bigint[];
  results text[];
  ways integer[];
  passed_ats timestamptz[];
  earlier_ids bigint[];
BEGIN
  -- In the sequence of their tickets: batches of two processes then don't wait for each other in a circle. Late ones of a
  -- ticket in the order of their times: the last one is then the neighbour of the next.
  FOR scan IN
    SELECT asked.*, least(asked.at, received) AS scanned_at, device.id IS NULL AND asked.device_id IS NOT NULL AS is_unknown,
      device.name AS device_name, kept.result AS kept_result, ticket.id AS ticket_id, ticket.event_id = asked.event_id AS is_own,
      ticket.type_name, ticket.attendee_name, ticket.fate, ticket.generation AS ticket_generation, ticket.event_status,
      ticket.paid_at, last.id AS last_id, last.passage AS last_passage, last.scanned_at AS last_at,
      last.passed_at AS last_passed_at, last.device_id AS last_device_id,
      (SELECT devices.name FROM devices WHERE devices.id = last.device_id) AS last_device_name,
      CASE
        WHEN ticket.id IS NULL THEN 'not_valid'
        -- Who shows a signed code has that ticket. Whether an id is one of another organizer's tickets is not told.
        WHEN ticket.event_id <> asked.event_id AND asked.generation IS NULL AND NOT coalesce((
          SELECT own.organizer_id = other.organizer_id FROM events AS own, events AS other
          WHERE own.id = asked.event_id AND other.id = ticket.event_id
        ), false) THEN 'not_valid'
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
      SELECT tickets.id, tickets.fate, tickets.generation, tickets.attendee_name, orders.event_id, orders.status, orders.paid_at,
        (SELECT events.status FROM events WHERE events.id = orders.event_id) AS event_status,
        (SELECT ticket_types.name FROM ticket_types WHERE ticket_types.id = tickets.ticket_type_id) AS type_name
      FROM tickets JOIN orders ON orders.id = tickets.order_id
      WHERE tickets.id = CASE WHEN kept.id IS NULL THEN asked.scanned_id ELSE kept.ticket_id END
      OFFSET 0
    ) AS ticket ON true
    LEFT JOIN LATERAL (
      (
        SELECT check_ins.id, check_ins.passage, check_ins.scanned_at, check_ins.passed_at, check_ins.device_id FROM check_ins
        WHERE kept.id IS NULL AND check_ins.ticket_id = asked.scanned_id AND check_ins.passage IS NOT NULL
        ORDER BY check_ins.passage DESC
        LIMIT 1
      )
      UNION ALL
      SELECT check_ins.id, check_ins.passage, check_ins.scanned_at, check_ins.passed_at, check_ins.device_id FROM check_ins
      WHERE check_ins.id = kept.earlier_id
      OFFSET 0
    ) AS last ON true
    ORDER BY asked.scanned_id, CASE WHEN asked.is_late THEN least(asked.at, received) ELSE received END, asked.n
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
      last_passed_at := scan.last_passed_at;
      last_device_id := scan.last_device_id;
      last_device_name := scan.last_device_name;
      own := NULL;
    END IF;

    -- An even passage leads in, an odd one out. Who is inside may go, whatever became of the ticket meanwhile.
    way := NULL;
    earlier_id := NULL;
    refusal := scan.refusal;
    is_inside := coalesce(last_passage % 2 = 0, false);
    passing_at := greatest(received, last_passed_at);
    IF scan.is_own AND (scan.is_late OR scan.kind = 'exit' AND NOT is_inside AND refusal IS NULL) THEN
      ${lock}
      IF ${isPast} THEN
        passing_at := scan.scanned_at;
        SELECT ticket_changes.fate, ticket_changes.generation INTO was FROM ticket_changes
        WHERE ticket_changes.ticket_id = ticket AND ticket_changes.changed_at > passing_at
        ORDER BY ticket_changes.changed_at LIMIT 1;
        IF NOT FOUND THEN
          SELECT scan.fate, scan.ticket_generation AS generation INTO was;
        END IF;
        -- A code that is newer than the ticket was then only tells that the clock of the device is slow.
        refusal := CASE
          WHEN scan.event_status = 'cancelled' AND NOT EXISTS (
            SELECT FROM event_cancellations AS off WHERE off.event_id = scan.event_id AND off.cancelled_at > passing_at
          ) THEN 'void'
          WHEN was.fate = 'blocked' THEN 'blocked'
          WHEN was.fate IS NOT NULL OR scan.generation < was.generation THEN 'void'
          WHEN scan.paid_at IS NULL THEN 'not_paid'
        END;
      END IF;
      SELECT near.*, (near.device_id, near.user_id) IS NOT DISTINCT FROM (scan.device_id, scan.user_id) AS is_same INTO before
      FROM (
        (
          SELECT check_ins.id, check_ins.kind, check_ins.scanned_at, check_ins.passed_at, check_ins.device_id, check_ins.user_id
          FROM check_ins
          WHERE check_ins.ticket_id = ticket AND check_ins.passed_at IS NOT NULL AND check_ins.passed_at <= passing_at
          ORDER BY check_ins.passed_at DESC, check_ins.id DESC LIMIT 1
        )
        UNION ALL
        SELECT ids[own], kinds[ns[own]], least(scan_times[ns[own]], received), passed_ats[own], device_ids[ns[own]],
          user_ids[ns[own]] WHERE own IS NOT NULL
      ) AS near
      ORDER BY near.passed_at DESC, near.id DESC LIMIT 1;
      SELECT check_ins.id, check_ins.kind, check_ins.scanned_at, check_ins.passed_at, check_ins.device_id, check_ins.user_id,
        (check_ins.device_id, check_ins.user_id) IS NOT DISTINCT FROM (scan.device_id, scan.user_id) AS is_same INTO after
      FROM check_ins
      WHERE check_ins.ticket_id = ticket AND check_ins.passed_at IS NOT NULL AND check_ins.passed_at > passing_at
      ORDER BY check_ins.passed_at, check_ins.id LIMIT 1;
      is_inside := coalesce(before.kind = 'entry', false);
      is_passing := true;
      IF scan.kind = 'exit' AND (is_inside OR refusal IS NULL) THEN
        result := 'left';
        earlier_id := CASE WHEN NOT is_inside THEN before.id END;
      ELSIF refusal IS NOT NULL THEN
        result := refusal;
        is_passing := false;
      ELSIF NOT is_inside AND after.kind IS DISTINCT FROM 'entry' THEN
        result := 'admitted';
      ELSE
        -- Two entries with no exit between. A device that let the ticket in itself knew it.
        IF after.kind = 'entry' AND (NOT is_inside OR before.is_same AND NOT after.is_same) THEN
          before := after;
        END IF;
        earlier_id := before.id;
        result := CASE WHEN before.is_same THEN 'already_in' ELSE 'conflict' END;
      END IF;
      -- The newest changes who is inside. Of one that is late, an exit or an entry before it may be yet to come.
      IF after.id IS NULL AND (result = 'admitted' OR result = 'left' AND is_inside) THEN
        way := coalesce(last_passage, -1) + 1;
        way := way + CASE WHEN (way % 2 = 0) = (result = 'admitted') THEN 0 ELSE 1 END;
      END IF;
      IF earlier_id IS NOT NULL THEN
        "earlierAt" := before.scanned_at;
        "earlierDeviceId" := before.device_id;
        "earlierDeviceName" := (SELECT devices.name FROM devices WHERE devices.id = before.device_id);
      END IF;
    ELSE
      is_passing := false;
      IF scan.is_own AND scan.kind = 'exit' AND is_inside THEN
        result := 'left';
        way := last_passage + 1;
      ELSIF refusal IS NOT NULL THEN
        result := refusal;
      ELSIF NOT is_inside THEN
        result := 'admitted';
        way := coalesce(last_passage + 1, 0);
      ELSE
        result := 'already_in';
        earlier_id := last_id;
        "earlierAt" := last_at;
        "earlierDeviceId" := last_device_id;
        "earlierDeviceName" := last_device_name;
      END IF;
    END IF;

    id := nextval('check_ins_id_seq');
    ns := ns || n;
    ids := ids || id;
    own_ids := own_ids || "ticketId";
    results := results || result;
    ways := ways || way;
    passed_ats := passed_ats || CASE WHEN is_passing OR way IS NOT NULL THEN passing_at END;
    earlier_ids := earlier_ids || earlier_id;
    IF is_passing OR way IS NOT NULL THEN
      own := array_length(ids, 1);
    END IF;
    IF way IS NOT NULL THEN
      last_id := id;
      last_passage := way;
      last_at := scan.scanned_at;
      last_passed_at := passing_at;
      last_device_id := scan.device_id;
      last_device_name := scan.device_name;
    END IF;
    RETURN NEXT;
  END LOOP;

  INSERT INTO check_ins (
    id, event_id, device_id, user_id, nonce, ticket_id, kind, result, passage, scanned_at, received_at, passed_at, earlier_id
  )
  SELECT made.id, event_ids[made.n], device_ids[made.n], user_ids[made.n], nonces[made.n], made.ticket_id, kinds[made.n],
    made.result, made.passage, least(scan_times[made.n], received), received, made.passed_at, made.earlier_id
  FROM unnest(ns, ids, own_ids, results, ways, passed_ats, earlier_ids)
    AS made (n, id, ticket_id, result, passage, passed_at, earlier_id);
END
$$`;
};

export const CHECK_IN_FUNCTION = checkInFunction();
