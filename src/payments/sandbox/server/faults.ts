import { setTimeout as sleep } from 'node:timers/promises';
import type { Request, RequestHandler, Response } from 'express';
import { Refusal } from './refusal';
import type { SwitchBoard } from './switches';

/** Cuts the connection instead of answering. */
export const CUT = Symbol('cut');

type Work = (request: Request) => Promise<unknown>;

/** Answers calls, with the faults that are switched on. */
export class Faults {
  private calls = 0;
  private failures = 0;

  constructor(private readonly switches: SwitchBoard) {}

  /** @param work finds the answer, an object or its JSON */
  answering(work: Work): RequestHandler {
    return (request, response, next) => {
      this.answer(work, request, response).catch(next);
    };
  }

  private async answer(work: Work, request: Request, response: Response): Promise<void> {
    const { fail_one_in, delay_ms, answers_garbage } = await this.switches.read();
    if (delay_ms > 0) await sleep(delay_ms);
    const isFailing = fail_one_in > 0 && ++this.calls % fail_one_in === 0;
    // A caller can't tell whether a call that failed did anything: here every second one did.
    const fails = isFailing && ++this.failures;
    if (fails && fails % 2 === 1) throw broken();
    const answer = await work(request);
    if (fails) throw broken();
    if (answer === CUT) request.socket.destroy();
    else if (answers_garbage) response.type('html').send('<html><body>Service temporarily');
    else response.type('json').send(typeof answer === 'string' ? answer : JSON.stringify(answer));
  }
}

const broken = () => new Refusal(500, 'internal_error', 'Something went wrong here. Try again.');
