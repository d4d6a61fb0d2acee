import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';

export const IS_PUBLIC = 'isPublic';
/** How the OpenAPI document learns what the guard knows; it does not stay in there. */
export const PUBLIC_EXTENSION = 'x-public';

/** Opens a route, or all of a controller, to callers without an access token. Everything else is closed. */
export const Public = () =>
  applyDecorators(SetMetadata(IS_PUBLIC, true), ApiExtension(PUBLIC_EXTENSION, true));
