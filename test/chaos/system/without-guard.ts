import { PLACE_HOLDS, placeHolds, PLACE_HOLDS_GUARDS } from '../../../src/inventory/place-holds.statement';

/*
 * Loaded into an API before its own code, this takes the lock out of the statement that reserves, and slows it down
 * between reading what is free and taking it, so that a short run is enough for two to read the same.
 */
PLACE_HOLDS.text = placeHolds({ lock: '', read: `${PLACE_HOLDS_GUARDS.read}, pg_sleep(0.1)` }).text;
