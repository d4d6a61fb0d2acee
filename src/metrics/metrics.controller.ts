import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Public } from '../auth/public';
import { unauthenticated } from '../auth/unauthenticated';
import { Problem } from '../problems/problem';
import { MetricsService } from './metrics.service';

/** For Prometheus, which has a token of its own, and for admins. */
@ApiExcludeController()
@Public()
@Controller('metrics')
export class MetricsController {
  constructor(private readonly metrics: MetricsService) {}

  @Get()
  async scrape(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<string> {
    const { caller, headers } = request;
    const isAllowed = caller?.role === 'admin' || this.metrics.isAllowed(headers.authorization);
    if (!isAllowed) throw caller ? new Problem('route_not_found') : unauthenticated();
    response.type(this.metrics.contentType);
    return await this.metrics.scrape();
  }
}
