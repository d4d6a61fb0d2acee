import { withJwtSecret } from '../src/auth/jwt-secret';
import { newTicketKey } from '../src/check-in/new-ticket-key';
import { ROTATE_TICKET_KEY } from '../src/check-in/ticket-keys.statements';
import { readSettings } from '../src/config/settings';
import { openDatabase } from '../src/database/open-database';
import { readArguments, runScript, say } from './run-script';

const HELP = `Usage: tixxety rotate-ticket-key, or npm run rotate-ticket-key

Lets a new key sign tickets, in the database of DATABASE_URL, or else the embedded one. What the old keys have signed
stays good: gates go on scanning it.
`;

runScript(async () => {
  const { values } = readArguments({ help: { type: 'boolean', short: 'h', default: false } });
  if (values.help) {
    say(HELP);
    return;
  }
  const settings = await withJwtSecret(readSettings());
  const database = await openDatabase({ settings, migrate: false, say }, 'tool');
  try {
    const [{ kid, gone }] = await database.query<[{ kid: string; gone: number }]>(
      ROTATE_TICKET_KEY.text,
      newTicketKey(settings),
    );
    say(`The key ${kid} signs tickets from now on. What was signed before stays good.`);
    if (gone > 0) say(`Keys of events that are over for a month are gone: ${gone}.`);
  } finally {
    await database.destroy();
  }
});
