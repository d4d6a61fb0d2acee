import { Module, type DynamicModule } from '@nestjs/common';
import { Settings } from './settings';

/** Offers the validated settings to whoever names `Settings` in a constructor. */
@Module({})
export class ConfigModule {
  static register(settings: Settings): DynamicModule {
    return {
      module: ConfigModule,
      global: true,
      providers: [{ provide: Settings, useValue: settings }],
      exports: [Settings],
    };
  }
}
