import { Controller, Get, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Response } from 'express';
import { Public } from '../auth/public';
import { Unlimited } from '../rate-limit/rate-limit.decorator';
import { HealthService } from './health.service';

/** For orchestrators and load balancers, not for clients. */
@Public()
@ApiExcludeController()
@Unlimited()
@Controller('health')
export class HealthController {
  constructor(private readonly health: HealthService) {}

  @Get('live')
  live(): object {
    return { status: 'ok' };
  }

  @Get('ready')
  async ready(@Res({ passthrough: true }) response: Response): Promise<object> {
    const { isReady, report } = await this.health.ready();
    response.status(isReady ? 200 : 503);
    return report;
  }
}
