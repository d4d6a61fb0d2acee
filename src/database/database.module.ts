import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Transactions } from './transactions';
import { DatabaseClock } from './database-clock';
import { Statements } from './statements';
import type { TixxetyDataSource } from './tixxety-data-source';

/** Offers an open database to the features, and closes it last. */
@Module({})
export class DatabaseModule {
  static register(dataSource: TixxetyDataSource): DynamicModule {
    const connection = TypeOrmModule.forRootAsync({
      useFactory: () => dataSource.options,
      dataSourceFactory: () => Promise.resolve(dataSource),
    });
    return {
      module: DatabaseModule,
      global: true,
      imports: [connection],
      providers: [Statements, DatabaseClock, { provide: Transactions, useValue: dataSource.transactions }],
      exports: [Statements, DatabaseClock, Transactions],
    };
  }
}
