// The pad to draw on, with mouse, finger, pen or arrow keys.

import { make, pixelContext } from '../page/dom.ts';
import type { Drawing, Picture } from '../site/site.ts';
import { drawFigure, type Stroke } from './figure.ts';
import { drawValues } from './pixels.ts';

/** Pixels of the canvas behind the pad; it is shown smaller. */
const SIDE = 640;
/** How far an arrow key moves the pen, as a share of the pad. */
const KEY_STEP = 1 / 28;

type Point = readonly [x: number, y: number];

const ARROWS: Readonly<Record<string, Point>> = {
  ArrowLeft: [-KEY_STEP, 0],
  ArrowRight: [KEY_STEP, 0],
  ArrowUp: [0, -KEY_STEP],
  ArrowDown: [0, KEY_STEP],
};

/** Points are shares of the pad, 0 to 1. */
export class Pad {
  readonly #picture: Picture;
  readonly #drawing: Drawing;
  readonly #changed: (values: Float32Array<ArrayBuffer> | null) => void;
  readonly #canvas = make('canvas', {
    class: 'pad',
    width: String(SIDE),
    height: String(SIDE),
    tabindex: '0',
    role: 'img',
    'aria-label':
      'Drawing pad. Draw with mouse, finger or pen; or move with the arrow keys and hold Shift to ' +
      'draw. The samples below need no drawing.',
  });
  readonly #seen: HTMLCanvasElement;
  #strokes: Point[][] = [];
  #pen: Point | null = null;
  #scheduled = false;

  /** changed: called with the values of the picture, or null if the pad was cleared. */
  constructor(
    parent: HTMLElement,
    picture: Picture,
    drawing: Drawing,
    changed: (values: Float32Array<ArrayBuffer> | null) => void,
  ) {
    this.#picture = picture;
    this.#drawing = drawing;
    this.#changed = changed;
    const [height, width] = picture.size;
    this.#seen = make('canvas', {
      class: 'pixels',
      width: String(width),
      height: String(height),
      role: 'img',
      'aria-label': 'What the model sees',
    });
    const clear = make('button', { type: 'button' }, 'Clear');
    clear.addEventListener('click', () => {
      this.clear();
      this.#changed(null);
    });
    const seen = make('span', { class: 'seen small' }, 'the model sees', this.#seen);
    parent.replaceChildren(this.#canvas, make('div', { class: 'row' }, clear, seen));
    this.#listen();
    this.clear();
  }

  /** Empty the pad. */
  clear(): void {
    this.#strokes = [];
    this.#pen = null;
    this.#paint();
    this.showSeen(
      new Float32Array(this.#seen.width * this.#seen.height).fill(this.#drawing.ground),
    );
  }

  /** Show a picture that was not drawn here. */
  show(values: ArrayLike<number>): void {
    this.clear();
    this.showSeen(values);
    const context = pixelContext(this.#canvas);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.#seen, 0, 0, SIDE, SIDE);
  }

  showSeen(values: ArrayLike<number>): void {
    drawValues(this.#seen, values, this.#picture);
  }

  #listen(): void {
    const canvas = this.#canvas;
    canvas.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      this.#strokes.push([this.#place(event)]);
      this.#update();
    });
    canvas.addEventListener('pointermove', (event) => {
      if (!canvas.hasPointerCapture(event.pointerId)) return;
      const events = event.getCoalescedEvents?.() ?? [];
      this.#strokes
        .at(-1)
        ?.push(...(events.length ? events : [event]).map((one) => this.#place(one)));
      this.#update();
    });
    canvas.addEventListener('keydown', (event) => this.#move(event));
  }

  #place(event: PointerEvent): Point {
    const box = this.#canvas.getBoundingClientRect();
    const share = (value: number) => Math.max(0, Math.min(1, value));
    return [
      share((event.clientX - box.left) / box.width),
      share((event.clientY - box.top) / box.height),
    ];
  }

  #move(event: KeyboardEvent): void {
    const step = ARROWS[event.key];
    if (!step) return;
    event.preventDefault();
    const [x, y] = this.#pen ?? [0.5, 0.25];
    const to: Point = [
      Math.max(0, Math.min(1, x + step[0])),
      Math.max(0, Math.min(1, y + step[1])),
    ];
    if (event.shiftKey) {
      const stroke = this.#strokes.at(-1);
      const isGoingOn = stroke && String(stroke.at(-1)) === String([x, y]);
      if (isGoingOn) stroke.push(to);
      else this.#strokes.push([[x, y], to]);
    }
    this.#pen = to;
    this.#update();
  }

  /** At most once per frame: a pointer moves more often. */
  #update(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#paint();
      if (this.#strokes.length === 0) return;
      const unit = Math.min(...this.#picture.size);
      const values = drawFigure(this.#strokes as Stroke[], this.#picture, this.#drawing, unit);
      this.showSeen(values);
      this.#changed(values);
    });
  }

  #paint(): void {
    const context = pixelContext(this.#canvas);
    context.clearRect(0, 0, SIDE, SIDE);
    context.lineCap = 'round';
    context.lineJoin = 'round';
    context.lineWidth = (this.#drawing.stroke / Math.min(...this.#picture.size)) * SIDE;
    context.strokeStyle = getComputedStyle(this.#canvas).color;
    for (const stroke of this.#strokes) {
      const [[x, y] = [0, 0]] = stroke;
      context.beginPath();
      context.moveTo(x * SIDE, y * SIDE);
      for (const point of stroke) context.lineTo(point[0] * SIDE, point[1] * SIDE);
      context.stroke();
    }
    if (this.#pen) {
      context.beginPath();
      context.lineWidth = 4;
      context.arc(this.#pen[0] * SIDE, this.#pen[1] * SIDE, 20, 0, 2 * Math.PI);
      context.stroke();
    }
  }
}
