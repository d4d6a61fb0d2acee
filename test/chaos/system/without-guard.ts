import {
  PLACE_HOLDS,
  PLACE_HOLDS_GUARDS,
  PLACE_KEYED_HOLDS,
  placeHolds,
  placeKeyedHolds,
} from '../../../src/inventory/place-holds.statement';

/*
 * Loaded into an API before its own code, this takes the lock out of the statements that reserve, and slows them down
 * between reading what is free and taking it, so that a short run is enough for two to read the same.
 */
const unguarded = { lock: '', read: `${PLACE_HOLDS_GUARDS.read}, pg_sleep(0.1)` };
PLACE_HOLDS.text = placeHolds(unguarded).text;
PLACE_KEYED_HOLDS.text = placeKeyedHolds(unguarded).text;
