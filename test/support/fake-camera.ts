import { create } from 'qrcode';

const [WIDTH, HEIGHT] = [640, 480];
const PIXELS_PER_MODULE = 6;
const [BLACK, WHITE, NO_COLOUR] = [16, 235, 128];

/**
 * A film (YUV4MPEG2) of a code that somebody holds before a camera, for Chromium's fake one: some grey around it, and not
 * quite sharp.
 */
export function filmOf(token: string): Buffer {
  const { modules } = create([{ data: Buffer.from(token), mode: 'byte' }], { errorCorrectionLevel: 'M' });
  const size = (modules.size + 8) * PIXELS_PER_MODULE;
  const luma = Buffer.alloc(WIDTH * HEIGHT, 110);
  const [left, top] = [(WIDTH - size) / 2, (HEIGHT - size) / 2];
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [column, row] = [x, y].map((at) => Math.floor(at / PIXELS_PER_MODULE) - 4) as [number, number];
      const isInside = Math.min(column, row) >= 0 && Math.max(column, row) < modules.size;
      luma[(top + y) * WIDTH + left + x] = isInside && modules.get(row, column) ? BLACK : WHITE;
    }
  }
  const frame = Buffer.concat([
    Buffer.from('FRAME\n'),
    blurred(luma),
    Buffer.alloc((WIDTH * HEIGHT) / 2, NO_COLOUR),
  ]);
  const header = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420jpeg\n`);
  return Buffer.concat([header, ...Array<Buffer>(10).fill(frame)]);
}

/** Each pixel becomes the mean of the nine around it. */
function blurred(luma: Buffer): Buffer {
  const soft = Buffer.from(luma);
  for (let i = WIDTH + 1; i < luma.length - WIDTH - 1; i++) {
    let sum = 0;
    for (const row of [-WIDTH, 0, WIDTH]) for (const step of [-1, 0, 1]) sum += luma[i + row + step] ?? 0;
    soft[i] = sum / 9;
  }
  return soft;
}
