import { applyDecorators, createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import type { Request } from 'express';
import type { Caller } from './caller';

/** A device at the gate of an event, by its token. */
export interface DeviceCaller {
  deviceId: number;
  eventId: number;
}

/** What sends requests to a gate: a device of its event, or somebody with an account. */
export type GateCaller = DeviceCaller | Caller;

export const isDevice = (caller: GateCaller): caller is DeviceCaller => 'deviceId' in caller;

declare module 'express-serve-static-core' {
  interface Request {
    /** Set by the guard where the token of a device came along; there is no caller then. */
    device?: DeviceCaller;
  }
}

/** Knows devices by their tokens. Here is no table: what keeps devices provides it. */
export abstract class DeviceTokens {
  /** @returns undefined for a token that no device has, or that was revoked */
  abstract find(token: string): Promise<DeviceCaller | undefined>;
}

export const FOR_DEVICES = 'forDevices';
/** How the OpenAPI document learns what the guard knows; it does not stay in there. */
export const FOR_DEVICES_EXTENSION = 'x-for-devices';

/** Opens a route to devices, too. Every other route is closed to them. */
export const ForDevices = () =>
  applyDecorators(SetMetadata(FOR_DEVICES, true), ApiExtension(FOR_DEVICES_EXTENSION, true));

/** Hands the device or the caller to a handler of a route for devices. */
export const AtGate = createParamDecorator(
  (_: unknown, context: ExecutionContext): GateCaller | undefined => {
    const { device, caller } = context.switchToHttp().getRequest<Request>();
    return device ?? caller;
  },
);
