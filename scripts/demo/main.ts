import { endSignal, readArguments, runScript, say } from '../run-script';
import { atTheGate } from './gate';
import { tradeForMoney } from './money';
import { order } from './order';
import { paint } from './print';
import { startDemoServer } from './server';
import { singleTickets } from './single-tickets';
import { Visitor } from './visitor';

const HOLD_SECONDS = 3;

const HELP = `Usage: npm run demo

Starts a server of its own, whose holds last ${HOLD_SECONDS} seconds, and books on it: single tickets, one of them scanned at the
gate, an order of three with a code, and an order paid and refunded through the sandbox. Shows every request and
every answer, and fails when an answer is not what it should be.
`;

runScript(async () => {
  const { values } = readArguments({ help: { type: 'boolean', short: 'h' } });
  if (values.help) {
    say(HELP);
    return;
  }
  const interruption = endSignal();
  // A reader of the output, such as `head`, may close it before the demo is done.
  process.stdout.on('error', () => undefined);
  say(paint('dim', 'Starting a server with a database of its own ...'));
  const server = await startDemoServer(HOLD_SECONDS);
  try {
    const signal = await Promise.race([journey(server.url), interruption]);
    if (signal) process.exitCode = signal === 'SIGINT' ? 130 : 1;
    else say(paint('green', '\nEvery answer was as expected.'));
  } finally {
    await server.stop();
  }
  process.exit();
});

async function journey(url: string): Promise<void> {
  const visitor = new Visitor(url);
  const sold = await singleTickets(visitor, HOLD_SECONDS);
  await atTheGate(visitor, sold);
  await order(visitor);
  await tradeForMoney(visitor);
}
