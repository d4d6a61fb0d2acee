/**
 * Names the database that this is: one cluster, one database, one schema. All processes of an installation agree on it,
 * and a copy restored elsewhere has a name of its own. Where the cluster may not be asked, the rest has to do.
 */
export const INSTALLATION = `
  SELECT left(encode(sha256(convert_to(concat_ws(' ',
    CASE WHEN has_function_privilege('pg_control_system()', 'EXECUTE')
      THEN (SELECT system_identifier FROM pg_control_system()) END,
    (SELECT oid FROM pg_database WHERE datname = current_database()),
    current_database(), current_schema()
  ), 'UTF8')), 'hex'), 12) AS name`;
