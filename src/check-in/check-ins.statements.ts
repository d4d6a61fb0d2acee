import type { Statement } from '../database/statements';

/** Lets tickets in, or out, and keeps what the scans come to: the parameters and the answer are those of `check_in`. */
export const CHECK_IN: Statement = {
  name: 'check_in',
  text: `
    SELECT * FROM check_in($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::text[],
      $8::timestamptz[], $9::boolean[])`,
};
