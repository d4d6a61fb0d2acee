import { Server, type IncomingMessage } from 'node:http';
import http from 'node:http';
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
  const request = http.request as (url: string, options: http.RequestOptions) => http.ClientRequest;
  http.request = ((url: string, options: http.RequestOptions) => {
    if (typeof url !== 'string') return request(url, options);
    const call = `${options.method} ${new URL(url).pathname}`;
    pass('call', call);
    const made = request(url, options);
    // The system has all of it by then.
    made.once('finish', () => pass('sent', call));
    made.once('response', () => pass('answer', call));
    return made;
  }) as typeof http.request;
}
