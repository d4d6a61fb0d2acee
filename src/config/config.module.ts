import { Module, type DynamicModule } from '@nestjs/common';
import { Settings } from './settings';

/** Provides the validated settings to every class that names `Settings` in its constructor. */
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
