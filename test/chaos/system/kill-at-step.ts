import { subscribe } from 'node:diagnostics_channel';
import { Server, type IncomingMessage } from 'node:http';
import { KILL_STEPS, type Step } from './kill-steps';

/*
 * Loaded into a process before its own code: it is killed at the step that KILL_AT names, the KILL_NTH time that it comes to
 * it, KILL_AFTER_MS after that.
 */
const step = KILL_STEPS[process.env.KILL_AT ?? ''];
let left = Number(process.env.KILL_NTH ?? 1);

if (step) {
  const pass = (at: Step['at'], call: string) => {
    if (at !== step.at || !step.calls.test(call) || --left !== 0) return;
    const ms = Number(process.env.KILL_AFTER_MS ?? 0);
    const kill = () => process.kill(process.pid, 'SIGKILL');
    // Before a call there is one moment only.
    if (ms > 0 && at !== 'call') setTimeout(kill, ms);
    else kill();
  };
  const emit = Reflect.get(Server.prototype, 'emit') as (
    this: Server,
    name: string,
    ...args: unknown[]
  ) => boolean;
  Server.prototype.emit = function (this: Server, name: string, ...args: unknown[]) {
    if (name === 'request') {
      const { method, url } = args[0] as IncomingMessage;
      pass('arrival', `${method} ${url}`);
    }
    return emit.call(this, name, ...args);
  } as typeof Server.prototype.emit;
  // As undici tells of its calls; it has sent all of one that is `sent`.
  const passOn = (channel: string, at: Step['at']) =>
    subscribe(`undici:request:${channel}`, (message) => {
      const { method, path } = (message as { request: { method: string; path: string } }).request;
      pass(at, `${method} ${path.split('?', 1)[0]}`);
    });
  passOn('create', 'call');
  passOn('bodySent', 'sent');
  passOn('headers', 'answer');
}
