import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { WelcomeDto } from './app.dto';
import { Public } from './auth/public';
import { ApiProblems } from './http/api-docs';
import { VERSION } from './version';

@ApiTags('service')
@Controller()
export class AppController {
  @Public()
  @Get()
  @ApiOperation({
    operationId: 'welcome',
    summary: 'Say hello',
    description: 'Tells the version, and where the documentation is.',
  })
  @ApiProblems()
  welcome(): WelcomeDto {
    return { message: 'Welcome to Tixxety API', version: VERSION, docs: '/docs' };
  }
}
