import { Body, Controller, Module, Post } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { StartupError } from '../config/startup-error';
import { IdempotencyService } from './idempotency.service';
import { Idempotent, type Once } from './idempotent.decorator';
import { IdempotentRoutes } from './idempotent-routes';
import { DiscoveryModule } from '@nestjs/core';

@Controller()
class Prepared {
  @Idempotent()
  @Post()
  async create(@Body() body: object, once: Once): Promise<object> {
    return await once(() => Promise.resolve(body));
  }
}

@Controller()
class Forgetful {
  @Idempotent()
  @Post()
  create(@Body() body: object): object {
    return body;
  }
}

@Controller()
class WithoutAny {
  @Idempotent()
  @Post()
  create(): object {
    return {};
  }
}

@Controller()
class Batched {
  @Idempotent({ by: 'batch' })
  @Post()
  create(@Body() body: object): object {
    return body;
  }
}

/** As the module does when the application starts. */
async function wrap(controller: new () => object): Promise<void> {
  @Module({
    imports: [DiscoveryModule],
    controllers: [controller],
    providers: [IdempotentRoutes, { provide: IdempotencyService, useValue: {} }],
  })
  class Routes {}
  const app = await Test.createTestingModule({ imports: [Routes] }).compile();
  app.get(IdempotentRoutes).wrapHandlers();
}

it('takes a handler with a parameter for what opens its transaction', async () => {
  await expect(wrap(Prepared)).resolves.toBeUndefined();
  // The next application of this process has the same classes.
  await expect(wrap(Prepared)).resolves.toBeUndefined();
});

it.each([Forgetful, WithoutAny, Batched])(
  'refuses one whose last argument would be replaced: %p',
  async (controller) => {
    await expect(wrap(controller)).rejects.toThrow(StartupError);
    await expect(wrap(controller)).rejects.toThrow(`${controller.name}.create is marked @Idempotent()`);
  },
);
