import type { Statement } from '../database/statements';

/** All keys, newest first. */
export const LIST_TICKET_KEYS: Statement = {
  name: 'list_ticket_keys',
  text: `
    SELECT kid, public_key AS "publicKey", encrypted_private_key AS "encryptedPrivateKey",
      secret_fingerprint AS "secretFingerprint"
    FROM ticket_keys
    ORDER BY created_at DESC, kid`,
};

/** Keeps the key `$1` to `$4`, unless there is one by now that signs under the same secret. */
export const ADD_TICKET_KEY: Statement = {
  name: 'add_ticket_key',
  text: `
    INSERT INTO ticket_keys (kid, public_key, encrypted_private_key, secret_fingerprint)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING`,
};

/**
 * Lets the key `$1` to `$4` sign from now on. What the keys of before have signed stays good: they go only once no event is
 * left that was there while they signed and has not been over for a month.
 */
export const ROTATE_TICKET_KEY: Statement = {
  text: `
    WITH retired AS (
      UPDATE ticket_keys SET retired_at = now(), encrypted_private_key = NULL WHERE retired_at IS NULL
      RETURNING kid
    ), gone AS (
      DELETE FROM ticket_keys
      WHERE NOT EXISTS (
        SELECT FROM events WHERE created_at <= retired_at AND end_time > now() - interval '1 month'
      ) AND retired_at IS NOT NULL
      RETURNING kid
    ), added AS (
      INSERT INTO ticket_keys (kid, public_key, encrypted_private_key, secret_fingerprint)
      SELECT $1, $2, $3, $4 FROM (SELECT count(*) FROM retired) AS done
      RETURNING kid
    )
    SELECT added.kid, (SELECT count(*)::int FROM retired) AS retired, (SELECT count(*)::int FROM gone) AS gone FROM added`,
};
