import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DeviceTokens } from '../auth/device';
import { EventsModule } from '../events/events.module';
import { InventoryModule } from '../inventory/inventory.module';
import { Admission } from './admission';
import { AttendeesController } from './attendees.controller';
import { AttendeesService } from './attendees.service';
import { CheckInLogController } from './check-in-log.controller';
import { CheckInLogService } from './check-in-log.service';
import { CheckIn } from './check-in.entity';
import { CheckInsController } from './check-ins.controller';
import { CheckInsRepository } from './check-ins.repository';
import { CheckInsService } from './check-ins.service';
import { DeviceDirectory } from './device-directory';
import { Device } from './device.entity';
import { DevicesController } from './devices.controller';
import { DevicesRepository } from './devices.repository';
import { DevicesService } from './devices.service';
import { GateChange } from './gate-change.entity';
import { GateController } from './gate.controller';
import { GateRepository } from './gate.repository';
import { GateService } from './gate.service';
import { JwksController } from './jwks.controller';
import { SilentDevices } from './silent-devices';
import { TicketChange } from './ticket-change.entity';
import { TicketKey } from './ticket-key.entity';
import { TicketKeys } from './ticket-keys';
import { TicketTokens } from './ticket-tokens';

@Module({
  imports: [
    TypeOrmModule.forFeature([TicketKey, Device, CheckIn, GateChange, TicketChange]),
    EventsModule,
    InventoryModule,
  ],
  controllers: [
    JwksController,
    DevicesController,
    CheckInsController,
    CheckInLogController,
    GateController,
    AttendeesController,
  ],
  providers: [
    TicketKeys,
    TicketTokens,
    DevicesRepository,
    DevicesService,
    { provide: DeviceTokens, useClass: DeviceDirectory },
    CheckInsRepository,
    Admission,
    CheckInsService,
    CheckInLogService,
    GateRepository,
    GateService,
    AttendeesService,
    SilentDevices,
  ],
  exports: [TicketTokens, DeviceTokens, AttendeesService, SilentDevices],
})
export class CheckInModule {}
