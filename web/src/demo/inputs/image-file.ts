// A picture from the visitor's file, which may be anything.

/** Browsers unpack a picture before they scale it, 4 bytes per pixel. Pages die of half a GB. */
export const MOST_PIXELS = 120_000_000;

/**
 * The picture in a file, no larger than needed for a model's input of this size.
 * Throws an Error in plain words if it is not a picture or too large.
 */
export async function openImage(
  file: Blob & { readonly name?: string },
  [height, width]: readonly [number, number],
): Promise<ImageBitmap> {
  const name = file.name ? `'${file.name}'` : 'This';
  const [wide, high] = await measure(file, name);
  if (wide * high > MOST_PIXELS) {
    const millions = (pixels: number) => Math.round(pixels / 1e6);
    throw new Error(
      `${name} has ${millions(wide * high)} million pixels, and this page unpacks no more than ` +
        `${millions(MOST_PIXELS)} million. Scale it down first.`,
    );
  }
  try {
    return await createImageBitmap(file, {
      resizeWidth: width,
      resizeHeight: height,
      resizeQuality: 'high',
    });
  } catch {
    throw new Error(`${name} cannot be read as an image by this browser.`);
  }
}

/** The size of a picture, from its header: nothing is unpacked. */
async function measure(file: Blob, name: string): Promise<[number, number]> {
  const image = new Image();
  const url = URL.createObjectURL(file);
  try {
    await new Promise((resolve, reject) => {
      image.onload = resolve;
      image.onerror = reject;
      image.src = url;
    });
    return [image.naturalWidth, image.naturalHeight];
  } catch {
    throw new Error(`${name} is not an image that this browser can read.`);
  } finally {
    URL.revokeObjectURL(url);
  }
}
