/* Finds QR codes in what the camera sees: by the browser's own reader, or by ZXing. */
const LOOK_EVERY_MS = 80;
/** Wide enough for a code that fills a third of the picture. */
const WIDTH = 800;

async function nativeReader() {
  if (!('BarcodeDetector' in globalThis)) return undefined;
  const formats = await BarcodeDetector.getSupportedFormats().catch(() => []);
  if (!formats.includes('qr_code')) return undefined;
  const detector = new BarcodeDetector({ formats: ['qr_code'] });
  return async (canvas) => (await detector.detect(canvas)).map(({ rawValue }) => rawValue);
}

function zxingReader() {
  const { prepareZXingModule, readBarcodes } = globalThis.ZXingWASM;
  prepareZXingModule({ overrides: { locateFile: () => '/gate/zxing_reader.wasm' } });
  return async (canvas, context) => {
    const picture = context.getImageData(0, 0, canvas.width, canvas.height);
    const found = await readBarcodes(picture, { formats: ['QRCode'], maxNumberOfSymbols: 1 });
    return found.map(({ text }) => text);
  };
}

/**
 * Starts the camera.
 *
 * @param found is told each code, each time it is seen
 */
export async function start(video, found) {
  const constraints = { facingMode: 'environment', width: { ideal: 1280 } };
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: constraints, audio: false });
  await video.play();
  const read = (await nativeReader()) ?? zxingReader();
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const look = async () => {
    if (video.readyState >= video.HAVE_CURRENT_DATA && !document.hidden) {
      canvas.width = Math.min(WIDTH, video.videoWidth);
      canvas.height = Math.round((video.videoHeight * canvas.width) / video.videoWidth);
      context.drawImage(video, 0, 0, canvas.width, canvas.height);
      for (const text of await read(canvas, context).catch(() => [])) found(text);
    }
    setTimeout(look, LOOK_EVERY_MS);
  };
  void look();
}
