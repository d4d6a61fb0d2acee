import type { Statement } from '../database/statements';

/*
 * What an organizer does with the places of an event, in a transaction of more than one statement. The first locks the
 * counters: what is decided after it holds until the commit, and reservations wait for that.
 */

/** Locks the counters of the event `$1`. */
export const LOCK_QUOTA: Statement = {
  text: `SELECT held, sold, was_taken AS "wasTaken" FROM inventory WHERE event_id = $1 FOR UPDATE`,
};

export const SET_CAPACITY: Statement = {
  text: 'UPDATE inventory SET capacity = $2 WHERE event_id = $1',
};

export const DELETE_QUOTA: Statement = { text: 'DELETE FROM inventory WHERE event_id = $1' };
