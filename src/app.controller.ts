import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from './common/api-docs';
import { VERSION } from './version';

export class WelcomeDto {
  /** @example "Welcome to Tixxety API" */
  message: string;

  /** @example "0.1.0" */
  version: string;

  /**
   * Where Swagger UI is.
   * @example "/docs"
   */
  docs: string;
}

@ApiTags('service')
@Controller()
export class AppController {
  @Get()
  @ApiOperation({ operationId: 'welcome', summary: 'Say hello' })
  @ApiProblems()
  welcome(): WelcomeDto {
    return { message: 'Welcome to Tixxety API', version: VERSION, docs: '/docs' };
  }
}
