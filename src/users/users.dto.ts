import { IntersectionType } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { ApiInteger } from '../http/api-docs';
import {
  ChangedTogetherWith,
  Decimal,
  Email,
  MayBeLeftOut,
  OpaqueText,
  OptionalTogetherWith,
  Text,
} from '../http/fields';
import type { User } from './user.entity';
import { TokensDto, toTokensDto } from './sessions.dto';
import type { Tokens } from './sessions.service';
import type { NewUser, UserChanges } from './users.repository';

export class CreateUserDto {
  /** @example "Ada Lovelace" */
  @Text(1, 100)
  name: string;

  /**
   * Unique, however it is spelled: in letters of any case, with a domain in Unicode or in ASCII.
   * @example "ada@example.com"
   */
  @Email()
  @Text(3, 255)
  email: string;

  /**
   * Left out: the account can't sign in again once its access token has ended.
   * @example "notes on the engine"
   */
  @IsOptional()
  @OpaqueText(12, 128)
  password?: string | null;

  /** @example "12 Saint James Square, London" */
  @IsOptional()
  @Text(0, 255)
  location_address?: string | null;

  /**
   * Degrees north; comes together with the longitude.
   * @example 51.5072
   */
  @OptionalTogetherWith('location_longitude')
  @Decimal(-90, 90)
  location_latitude?: number | null;

  /**
   * Degrees east; comes together with the latitude.
   * @example -0.1276
   */
  @OptionalTogetherWith('location_latitude')
  @Decimal(-180, 180)
  location_longitude?: number | null;
}

export class UpdateUserDto {
  /** @example "Ada Lovelace" */
  @MayBeLeftOut()
  @Text(1, 100)
  name?: string;

  /**
   * Null clears it.
   * @example "12 Saint James Square, London"
   */
  @IsOptional()
  @Text(0, 255)
  location_address?: string | null;

  /**
   * Degrees north; comes together with the longitude. Null clears both.
   * @example 51.5072
   */
  @ChangedTogetherWith('location_longitude')
  @Decimal(-90, 90)
  location_latitude?: number | null;

  /**
   * Degrees east; comes together with the latitude. Null clears both.
   * @example -0.1276
   */
  @ChangedTogetherWith('location_latitude')
  @Decimal(-180, 180)
  location_longitude?: number | null;
}

export class UserDto {
  /** @example 1 */
  @ApiInteger()
  id: number;

  /** @example "Ada Lovelace" */
  name: string;

  /** @example "ada@example.com" */
  email: string;

  /** @example "12 Saint James Square, London" */
  location_address: string | null;

  /** @example 51.5072 */
  location_latitude: number | null;

  /** @example -0.1276 */
  location_longitude: number | null;

  /** @example "2030-01-01T12:00:00.000Z" */
  created_at: Date;
}

export class SignedUpUserDto extends IntersectionType(UserDto, TokensDto) {}

export const toUserDto = (user: User): UserDto => ({
  id: user.id,
  name: user.name,
  email: user.email,
  location_address: user.locationAddress,
  location_latitude: user.locationLatitude,
  location_longitude: user.locationLongitude,
  created_at: user.createdAt,
});

export const toSignedUpUserDto = (user: User, tokens: Tokens): SignedUpUserDto => ({
  ...toUserDto(user),
  ...toTokensDto(tokens),
});

export const toNewUser = (body: CreateUserDto): NewUser => ({
  name: body.name,
  email: body.email,
  locationAddress: body.location_address ?? null,
  locationLatitude: body.location_latitude ?? null,
  locationLongitude: body.location_longitude ?? null,
});

export const toUserChanges = (body: UpdateUserDto): UserChanges => ({
  ...(body.name !== undefined && { name: body.name }),
  ...(body.location_address !== undefined && { locationAddress: body.location_address }),
  ...(body.location_latitude !== undefined && {
    locationLatitude: body.location_latitude,
    locationLongitude: body.location_longitude,
  }),
});
