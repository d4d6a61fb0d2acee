import {
  applyDecorators,
  Injectable,
  SetMetadata,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { finalize, type Observable } from 'rxjs';
import { Settings } from '../config/settings';
import { networkOf } from '../http/network';
import { goneSignal } from '../http/under-way';
import { Turns } from './turns';

const LINE = 'line';

/** What costs so much that one network gets it piece by piece; each kind has a line of its own. */
type Line = 'pages' | 'passwords' | 'documents';

/** Lets a network have its requests of a kind answered one after the other, so that they take no more than a share. */
@Injectable()
export class TurnInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly turns: Turns,
    private readonly settings: Settings,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    if (this.settings.RATE_LIMIT_PER_MINUTE === 0) return next.handle();
    const request = context.switchToHttp().getRequest<Request>();
    const response = context.switchToHttp().getResponse<Response>();
    const line = this.reflector.getAllAndOverride<Line>(LINE, [context.getHandler(), context.getClass()]);
    const end = await this.turns.takeFor(networkOf(request.address), line, goneSignal(response));
    // Nest writes the answer right after this, and that is part of the work.
    return next.handle().pipe(finalize(() => setImmediate(end)));
  }
}

export const InTurn = (line: Line) =>
  applyDecorators(SetMetadata(LINE, line), UseInterceptors(TurnInterceptor));
