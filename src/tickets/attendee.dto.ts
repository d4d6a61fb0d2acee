import { Type } from 'class-transformer';
import { IsDefined, IsObject, IsOptional, ValidateNested } from 'class-validator';
import { Email, Text } from '../http/fields';

export class AttendeeBody {
  /** @example "Ada Lovelace" */
  @Text(1, 100)
  name: string;

  /** @example "ada@example.com" */
  @IsOptional()
  @Email()
  email?: string | null;
}

export class ChangeTicketDto {
  /** Who comes with it from now on. */
  @IsDefined({ message: 'must be an object' })
  @IsObject({ message: 'must be an object' })
  @ValidateNested()
  @Type(() => AttendeeBody)
  attendee: AttendeeBody;
}
