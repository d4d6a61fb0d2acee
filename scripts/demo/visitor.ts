import { isDeepStrictEqual } from 'node:util';
import { answerLine, paint, requestLine } from './print';
import { say, ScriptError } from '../run-script';

/** What an answer should be: its status, and of its body at least these fields. */
type Expected = [status: number, fields: object];

/** What the API answers about a thing. */
export type Resource = Record<string, unknown> & { id: number };

/** A user who has signed up. */
export type Person = Resource & { name: string; access_token: string };

/** Sends the requests of a journey, shows each with its answer, and stops at an answer that is not as it should be. */
export class Visitor {
  private steps = 0;

  constructor(readonly url: string) {}

  step(title: string, explanation: string): void {
    say(`\n${paint('bold', `${++this.steps}. ${title}`)}\n   ${paint('dim', explanation)}`);
  }

  /** @param fields what the answer should say beside the token */
  async signUp(body: object, fields: object = {}): Promise<Person> {
    return (await this.as().post('/users/', body, 201, { token_type: 'Bearer', ...fields })) as Person;
  }

  /** The requests of somebody; left out: without a token. */
  as(caller?: Person) {
    return {
      get: (path: string, ...expected: Expected) => this.request(caller, 'GET', path, undefined, expected),
      post: (path: string, body: object | undefined, ...expected: Expected) =>
        this.request(caller, 'POST', path, body, expected),
    };
  }

  /** @throws {ScriptError} when the answer is not as expected */
  private async request(
    caller: Person | undefined,
    method: string,
    path: string,
    body: object | undefined,
    [status, fields]: Expected,
  ): Promise<Resource> {
    say(requestLine(method, path, body, caller?.name));
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(caller && { Authorization: `Bearer ${caller.access_token}` }),
        ...(body && { 'Content-Type': 'application/json' }),
      },
      body: body && JSON.stringify(body),
    });
    const answer = (await response.json()) as Resource;
    say(answerLine(response.status, answer));
    if (response.status !== status || !contains(answer, fields)) {
      throw new ScriptError(`\nThis should have been ${status} with ${JSON.stringify(fields)}.`);
    }
    return answer;
  }
}

/** True when `actual` has every field of `expected`, and is as long where that is a list. */
function contains(actual: unknown, expected: unknown): boolean {
  if (typeof actual !== 'object' || typeof expected !== 'object' || actual === null || expected === null) {
    return isDeepStrictEqual(actual, expected);
  }
  if (Array.isArray(expected) && (!Array.isArray(actual) || actual.length !== expected.length)) return false;
  return Object.entries(expected).every(([key, value]) =>
    contains((actual as Record<string, unknown>)[key], value),
  );
}
