import { RESERVE } from '../../../src/inventory/inventory.statements';

/*
 * Loaded into an API before its own code, this takes the lock out of the statement that reserves, and slows it down
 * between reading what is free and taking it, so that a short run is enough for two to read the same.
 */
const LOCK = 'FOR UPDATE';
const READ = 'capacity - held - sold AS free';
if (!RESERVE.text.includes(LOCK) || !RESERVE.text.includes(READ))
  throw new Error('The statement has changed');
RESERVE.text = RESERVE.text.replace(LOCK, '').replace(READ, `${READ}, pg_sleep(0.1)`);
