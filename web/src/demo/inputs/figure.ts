// A drawing as the training data would hold it: with the same size, line width and place.

import type { Drawing, Picture } from '../site/site.ts';

/** Points of a pen that stayed down, in any unit. */
export type Stroke = readonly (readonly [x: number, y: number])[];

/** How far a figure is enlarged at most: a pen that hardly moved drew a dot, which stays one. */
const MOST_ENLARGED = 4;

/**
 * The values of a picture with the strokes drawn into it, in C order.
 *
 * unit: how many pixels of the picture one unit of the strokes is where the drawing's whole ground
 * shows. The strokes are scaled to the size of the figures in the data, drawn with their line
 * width, and moved to where they stand.
 */
export function drawFigure(
  strokes: readonly Stroke[],
  picture: Picture,
  drawing: Drawing,
  unit: number,
): Float32Array<ArrayBuffer> {
  const [height, width] = picture.size;
  const ink = drawing.ink - drawing.ground;
  const points = fitted(strokes, drawing, unit);
  let coverage = rasterize(points, width, height, drawing.stroke);
  if (drawing.centred_by === 'mass' && points.length > 0) {
    const [y, x] = centreOfMass(coverage, width);
    const moved = moveWithin(points, drawing.centre[1] - x, drawing.centre[0] - y, picture);
    coverage = rasterize(moved, width, height, drawing.stroke);
  }
  return coverage.map((value) => drawing.ground + ink * value);
}

/** The strokes in the pixels of the picture, their box in the middle. */
function fitted(strokes: readonly Stroke[], drawing: Drawing, unit: number): Stroke[] {
  const all = strokes.flat();
  if (all.length === 0) return [];
  const xs = all.map(([x]) => x);
  const ys = all.map(([, y]) => y);
  const [left, right, top, bottom] = [
    Math.min(...xs),
    Math.max(...xs),
    Math.min(...ys),
    Math.max(...ys),
  ];
  const side = Math.max(right - left, bottom - top);
  const scale = Math.min((drawing.figure - drawing.stroke) / side, MOST_ENLARGED * unit);
  const [centreY, centreX] = drawing.centre;
  return strokes.map((stroke) =>
    stroke.map(([x, y]) => [
      (x - (left + right) / 2) * scale + centreX,
      (y - (top + bottom) / 2) * scale + centreY,
    ]),
  );
}

/** The strokes moved, but not out of the picture. */
function moveWithin(
  strokes: readonly Stroke[],
  dx: number,
  dy: number,
  picture: Picture,
): Stroke[] {
  const [height, width] = picture.size;
  const all = strokes.flat();
  const keep = (values: readonly number[], move: number, size: number) =>
    Math.max(-Math.min(...values), Math.min(size - 1 - Math.max(...values), move));
  const x = keep(
    all.map((point) => point[0]),
    dx,
    width,
  );
  const y = keep(
    all.map((point) => point[1]),
    dy,
    height,
  );
  return strokes.map((stroke) => stroke.map((point) => [point[0] + x, point[1] + y]));
}

/** How much of each pixel a round pen of this width covers, 0 to 1. */
function rasterize(
  strokes: readonly Stroke[],
  width: number,
  height: number,
  pen: number,
): Float32Array<ArrayBuffer> {
  const coverage = new Float32Array(width * height);
  for (const stroke of strokes) {
    for (const [index, to] of stroke.entries()) {
      if (index === 0 && stroke.length > 1) continue;
      coverSegment(coverage, width, height, stroke[Math.max(0, index - 1)] ?? to, to, pen / 2);
    }
  }
  return coverage;
}

function coverSegment(
  coverage: Float32Array<ArrayBuffer>,
  width: number,
  height: number,
  [x0, y0]: readonly [number, number],
  [x1, y1]: readonly [number, number],
  radius: number,
): void {
  const reach = radius + 1;
  const squared = (x1 - x0) ** 2 + (y1 - y0) ** 2;
  const clip = (value: number, size: number) => Math.max(0, Math.min(size - 1, value));
  const lastY = clip(Math.ceil(Math.max(y0, y1) + reach), height);
  const lastX = clip(Math.ceil(Math.max(x0, x1) + reach), width);
  for (let y = clip(Math.floor(Math.min(y0, y1) - reach), height); y <= lastY; y += 1) {
    for (let x = clip(Math.floor(Math.min(x0, x1) - reach), width); x <= lastX; x += 1) {
      const along = squared ? ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / squared : 0;
      const t = Math.max(0, Math.min(1, along));
      const distance = Math.hypot(x - x0 - t * (x1 - x0), y - y0 - t * (y1 - y0));
      const covered = Math.max(0, Math.min(1, radius + 0.5 - distance));
      const place = y * width + x;
      coverage[place] = Math.max(coverage[place] ?? 0, covered);
    }
  }
}

function centreOfMass(coverage: Float32Array<ArrayBuffer>, width: number): [y: number, x: number] {
  let [mass, x, y] = [0, 0, 0];
  for (const [index, value] of coverage.entries()) {
    mass += value;
    x += value * (index % width);
    y += value * Math.floor(index / width);
  }
  return [y / mass, x / mass];
}
