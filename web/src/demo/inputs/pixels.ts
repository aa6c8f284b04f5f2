// Pictures and the values that stand for them in the data.

import { pixelContext } from '../page/dom.ts';
import type { Picture } from '../site/site.ts';

const OPAQUE = 255;

/** Draw the values of a picture (height x width x channels, C order) on a canvas of its size. */
export function drawValues(
  canvas: HTMLCanvasElement,
  values: ArrayLike<number>,
  picture: Picture,
): void {
  const {
    size: [height, width],
    channels,
  } = picture;
  const [low, high] = picture.assumed ? rangeOf(values) : [picture.low, picture.high];
  const image = new ImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      const value = values[pixel * channels + (channels === 1 ? 0 : channel)] ?? low;
      image.data[4 * pixel + channel] = ((value - low) / (high - low)) * 255;
    }
    image.data[4 * pixel + 3] = OPAQUE;
  }
  pixelContext(canvas).putImageData(image, 0, 0);
}

/** The range of the values, for noise, which has its own. */
function rangeOf(values: ArrayLike<number>): [low: number, high: number] {
  const numbers = Array.from(values);
  const low = numbers.reduce((a, b) => Math.min(a, b), Infinity);
  const high = numbers.reduce((a, b) => Math.max(a, b), -Infinity);
  return [low, high > low ? high : low + 1];
}

/**
 * Scale a picture to the model's size and return its values, as the data holds them: the whole
 * picture, its aspect ratio not kept, as `edgekit convert` reads a folder of images.
 */
export function readPicture(
  source: CanvasImageSource,
  canvas: HTMLCanvasElement,
  { size: [height, width], channels, low, high }: Picture,
): Float32Array<ArrayBuffer> {
  const context = pixelContext(canvas);
  context.imageSmoothingQuality = 'high';
  // Transparent parts of the picture become white, like paper.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const values = new Float32Array(width * height * channels);
  const value = (byte: number) => low + (byte / 255) * (high - low);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    const [red = 0, green = 0, blue = 0] = data.subarray(4 * pixel, 4 * pixel + 3);
    if (channels === 1) {
      // ITU-R 601, as in Pillow's mode L.
      values[pixel] = value(Math.round(0.299 * red + 0.587 * green + 0.114 * blue));
    } else {
      values.set([value(red), value(green), value(blue)], 3 * pixel);
    }
  }
  return values;
}
