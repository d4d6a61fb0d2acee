import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Caller, organizerScopeOf } from '../auth/caller';
import { ApiCreated, ApiId, ApiList, ApiProblems } from '../http/api-docs';
import { IdPipe } from '../http/id.pipe';
import { PageQuery, sendPage } from '../http/page';
import { Idempotent, type Once } from '../idempotency/idempotent.decorator';
import { InTurn } from '../rate-limit/turn.interceptor';
import { CreateDeviceDto, DeviceDto, NewDeviceDto, toDeviceDto } from './devices.dto';
import { DevicesService } from './devices.service';

@ApiTags('gate')
@Controller()
export class DevicesController {
  constructor(private readonly devices: DevicesService) {}

  @Post('events/:event_id/devices')
  @Idempotent({ replayedWithout: ['token'] })
  @ApiOperation({
    operationId: 'createDevice',
    summary: 'Create a device',
    description:
      'A phone or a scanner at the gate of the event. Its token is shown this once: the answer to the same request again lacks it. For ' +
      'the organizer.',
  })
  @ApiId('event_id')
  @ApiCreated(NewDeviceDto)
  @ApiProblems('event_not_found', 'forbidden', 'too_many_devices')
  async create(
    @Param('event_id', IdPipe) eventId: number,
    @Body() { name }: CreateDeviceDto,
    @Caller() caller: Caller,
    @Res({ passthrough: true }) response: Response,
    once: Once,
  ): Promise<NewDeviceDto> {
    return await once(async () => {
      const device = await this.devices.create(eventId, name, organizerScopeOf(caller));
      response.location(`/devices/${device.id}`);
      return { ...toDeviceDto(device), token: device.token };
    });
  }

  @Get('events/:event_id/devices')
  @ApiOperation({
    operationId: 'listDevices',
    summary: "List an event's devices",
    description: 'Those that are not revoked, oldest first. For the organizer.',
  })
  @ApiId('event_id')
  @InTurn('pages')
  @ApiList(DeviceDto)
  @ApiProblems('event_not_found', 'forbidden')
  async list(
    @Param('event_id', IdPipe) eventId: number,
    @Query() query: PageQuery,
    @Caller() caller: Caller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<DeviceDto[]> {
    const page = await this.devices.listByEvent(eventId, organizerScopeOf(caller), query);
    return sendPage(page, toDeviceDto, request, response);
  }

  @Get('devices/:device_id')
  @ApiOperation({
    operationId: 'getDevice',
    summary: 'Show a device',
    description: 'Without its token, and until it is revoked. For the organizer.',
  })
  @ApiId('device_id')
  @ApiProblems('device_not_found')
  async get(@Param('device_id', IdPipe) id: number, @Caller() caller: Caller): Promise<DeviceDto> {
    return toDeviceDto(await this.devices.get(id, organizerScopeOf(caller)));
  }

  @Delete('devices/:device_id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'revokeDevice',
    summary: 'Revoke a device',
    description: 'Its token is good no more, at once. What it has scanned stays.',
  })
  @ApiId('device_id')
  @ApiNoContentResponse({ description: 'Revoked' })
  @ApiProblems('device_not_found')
  async revoke(@Param('device_id', IdPipe) id: number, @Caller() caller: Caller): Promise<void> {
    await this.devices.revoke(id, organizerScopeOf(caller));
  }
}
