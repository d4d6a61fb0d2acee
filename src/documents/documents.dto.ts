import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { PDF_FORMATS, type PdfFormat } from './worker/ticket-page';

export class PdfQuery {
  /** `a4` to print, `phone` to show on a small screen. */
  @ApiPropertyOptional({ enum: PDF_FORMATS, default: 'a4' })
  @IsIn(PDF_FORMATS, { message: `must be ${PDF_FORMATS.join(' or ')}` })
  format: PdfFormat = 'a4';
}
