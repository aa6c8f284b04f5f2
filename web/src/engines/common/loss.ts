// A GPU that goes away. TF.js would give wrong numbers without an error, or wait for ever.

import { EngineError } from '../../protocol/errors.ts';

/** Watches the contexts that an engine computes on, and fails its work once one of them is lost. */
export class Loss {
  #error: EngineError | null = null;
  #reject: ((error: EngineError) => void) | null = null;
  #askContext: () => void = () => {};

  /** Watch the canvas of a WebGL context. */
  watchContext(context: WebGLRenderingContext): void {
    const lost = () => this.#lose('the WebGL context was lost');
    context.canvas.addEventListener('webglcontextlost', lost);
    // The event comes late; until then there are wrong numbers or errors about shaders.
    this.#askContext = () => context.isContextLost() && lost();
    this.#askContext();
  }

  /** Watch a WebGPU device. */
  watchDevice(device: GPUDevice): void {
    device.lost.then((info) =>
      this.#lose(`the WebGPU device was lost${info.message ? `: ${info.message}` : ''}`),
    );
  }

  /** Return what the work gives. Throws EngineError once something is lost. One work at a time. */
  guard<T>(work: () => Promise<T>): Promise<T> {
    // Promise.race would leave one more reaction on a promise that lasts, with every run.
    return new Promise((resolve, reject) => {
      if (this.#error) throw this.#error;
      this.#reject = reject;
      work()
        .finally(() => this.#askContext())
        .then(resolve, reject);
    });
  }

  #lose(message: string): void {
    this.#error ??= new EngineError(message);
    this.#reject?.(this.#error);
  }
}
