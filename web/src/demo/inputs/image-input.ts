// A picture for the model: a file, dropped or chosen, or the camera.

import { byId, make, nextFrame, say } from '../page/dom.ts';
import { messageOf } from '../page/words.ts';
import type { Picture } from '../site/site.ts';
import { openImage } from './image-file.ts';
import { drawValues, readPicture } from './pixels.ts';

export class ImageInput {
  readonly #picture: Picture;
  readonly #changed: (values: Float32Array<ArrayBuffer>) => Promise<void>;
  readonly #canvas: HTMLCanvasElement;
  readonly #camera = make('button', { type: 'button' }, 'Use camera');
  #stream: MediaStream | null = null;
  /** The file being opened. A large one takes seconds, and another may be chosen meanwhile. */
  #opening: File | null = null;

  /** changed: called with the values of each new picture; the camera waits for it. */
  constructor(
    parent: HTMLElement,
    picture: Picture,
    changed: (values: Float32Array<ArrayBuffer>) => Promise<void>,
  ) {
    this.#picture = picture;
    this.#changed = changed;
    const [height, width] = picture.size;
    this.#canvas = make('canvas', {
      width: String(width),
      height: String(height),
      role: 'img',
      'aria-label': 'The picture as the model sees it',
    });
    const frame = make('div', { class: 'frame' }, this.#canvas);
    const file = make('input', { type: 'file', accept: 'image/*', class: 'unseen', id: 'file' });
    const choose = make('button', { type: 'button' }, 'Open an image');
    choose.addEventListener('click', () => file.click());
    file.tabIndex = -1;
    file.setAttribute('aria-hidden', 'true');
    file.addEventListener('change', () => {
      const [chosen] = file.files ?? [];
      if (chosen) void this.#open(chosen);
      file.value = '';
    });
    this.#camera.addEventListener('click', () => void this.#toggleCamera());
    if (!navigator.mediaDevices?.getUserMedia) {
      this.#camera.disabled = true;
      this.#camera.title = 'Browsers give the camera over https and on localhost only';
    }
    parent.replaceChildren(
      frame,
      make('div', { class: 'row' }, choose, this.#camera, file),
      make('p', { class: 'small' }, 'Or drop one anywhere on this page.'),
    );
    this.#takeDrops(frame);
  }

  /** Show a picture that came from elsewhere, and turn the camera off. */
  show(values: ArrayLike<number>): void {
    this.stop();
    drawValues(this.#canvas, values, this.#picture);
  }

  /** Turn the camera off, and forget the file that is being opened. */
  stop(): void {
    this.#opening = null;
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#camera.textContent = 'Use camera';
  }

  #takeDrops(frame: HTMLElement): void {
    const page = document.documentElement;
    page.addEventListener('dragover', (event) => {
      event.preventDefault();
      frame.classList.add('dropping');
    });
    page.addEventListener('dragleave', (event) => {
      if (!event.relatedTarget) frame.classList.remove('dropping');
    });
    page.addEventListener('drop', (event) => {
      event.preventDefault();
      frame.classList.remove('dropping');
      const [file] = event.dataTransfer?.files ?? [];
      if (file) void this.#open(file);
      else say('What was dropped is not a file. Save the image first, then drop the file.', true);
    });
  }

  async #open(file: File): Promise<void> {
    this.stop();
    this.#opening = file;
    try {
      const bitmap = await openImage(file, this.#picture.size);
      if (this.#opening !== file) return bitmap.close();
      const values = readPicture(bitmap, this.#canvas, this.#picture);
      bitmap.close();
      const { width, height } = this.#canvas;
      say(`'${file.name}', scaled to ${width} x ${height} pixels.`);
      await this.#changed(values);
    } catch (error) {
      if (this.#opening === file) say(messageOf(error), true);
    }
  }

  async #toggleCamera(): Promise<void> {
    const wasFilming = this.#stream !== null;
    this.stop();
    if (wasFilming) return;
    const video = make('video', { playsinline: '', muted: '' });
    video.muted = true;
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: 'environment' },
      });
      video.srcObject = this.#stream;
      await video.play();
    } catch (error) {
      this.stop();
      return say(refusal(error), true);
    }
    say('Filming. No picture leaves this machine.');
    this.#camera.textContent = 'Stop camera';
    byId('answer').setAttribute('aria-live', 'off');
    const stream = this.#stream;
    while (this.#stream === stream && stream.active) {
      await nextFrame();
      await this.#changed(readPicture(video, this.#canvas, this.#picture));
    }
    byId('answer').setAttribute('aria-live', 'polite');
    if (this.#stream === stream) this.stop();
  }
}

function refusal(error: unknown): string {
  const name = error instanceof Error ? error.name : '';
  if (name === 'NotAllowedError') {
    return 'The camera was refused. Allow it in the address bar, or open an image.';
  }
  if (name === 'NotFoundError') return 'This machine has no camera. Open an image instead.';
  return `The camera cannot be used (${name || error}). Open an image instead.`;
}
