import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { JwksController } from './jwks.controller';
import { TicketKey } from './ticket-key.entity';
import { TicketKeys } from './ticket-keys';
import { TicketTokens } from './ticket-tokens';

@Module({
  imports: [TypeOrmModule.forFeature([TicketKey])],
  controllers: [JwksController],
  providers: [TicketKeys, TicketTokens],
  exports: [TicketTokens],
})
export class CheckInModule {}
