import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { allowedMethods } from './allowed-methods';
import { closeIfUnread } from './request-body';
import { invalid, Problem, ProblemAnswer, sendAnswer, toAnswer } from '../problems/problem';

/** Turns thrown errors into `application/problem+json` (RFC 9457). Unforeseen ones are logged, not shown. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  /**
   * @param translate knows the errors of a layer that this one must not know, such as the database
   * @param membersOf knows what clients of some routes want to be told beside the problem
   */
  constructor(
    private readonly translate: (error: unknown) => Problem | undefined,
    private readonly membersOf: (problem: Problem, request: Request) => object | undefined,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const answer = error instanceof ProblemAnswer ? error : this.answerTo(error, request);
    if (response.headersSent) {
      // Cut short in the midst of its answer; or it was answered by the deadline, and its connection serves others.
      if (!response.writableEnded) response.destroy();
      return;
    }
    // The log line of the request carries what the client must not see.
    if (answer.status >= 500) response.locals.error = error;
    closeIfUnread(request, response);
    sendAnswer(response, answer);
  }

  private answerTo(error: unknown, request: Request): ProblemAnswer {
    const problem = this.problemOf(error, request);
    return toAnswer(problem, request.id, this.membersOf(problem, request));
  }

  private problemOf(error: unknown, request: Request): Problem {
    if (error instanceof Problem) return error;
    return this.translate(error) ?? httpProblem(error, request) ?? new Problem('internal_error');
  }
}

/** What Express and Nest's router refuse before a controller is reached. */
function httpProblem(error: unknown, request: Request): Problem | undefined {
  const status =
    error instanceof HttpException ? error.getStatus() : (error as { status?: unknown } | null)?.status;
  if (status === 404) {
    const methods = allowedMethods(request);
    return methods.length > 0
      ? new Problem('method_not_allowed', { headers: { Allow: methods.join(', ') } })
      : new Problem('route_not_found');
  }
  // The only other case is an address that can't be decoded, such as /users/%zz.
  return typeof status === 'number' && status < 500
    ? invalid('', 'the address is not percent-encoded UTF-8')
    : undefined;
}
