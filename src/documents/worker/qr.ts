import { create, toBuffer, toString, type QRCode } from 'qrcode';

/**
 * A seventh of the code may be lost to a scratch or a glare. More would take larger codes, whose smaller modules are read
 * less well from a phone.
 */
const LEVEL = { errorCorrectionLevel: 'M' } as const;
/** Of white around it, in modules, as the standard wants. */
export const QUIET_ZONE = 4;
const PIXELS_PER_MODULE = 8;
/** Rows of large squares are small whatever is tried on them. (The types of the library know two of its options.) */
const FAST = { deflateLevel: 1, filterType: 0, colorType: 0 } as object;

/** As bytes, of which base64url has no shorter way: the library would look for one for long. */
const segmentsOf = (token: string) => [{ data: Buffer.from(token), mode: 'byte' as const }];

export const qrOf = (token: string): QRCode => create(segmentsOf(token), LEVEL);

export const svgOf = (token: string): Promise<string> =>
  toString(segmentsOf(token), { ...LEVEL, type: 'svg', margin: QUIET_ZONE });

export const pngOf = (token: string): Promise<Buffer> =>
  toBuffer(segmentsOf(token), {
    ...LEVEL,
    type: 'png',
    margin: QUIET_ZONE,
    scale: PIXELS_PER_MODULE,
    rendererOpts: FAST,
  });
