// The runtimes' own files (WebAssembly and its glue), which the build puts beside the scripts.

/** Return the address of an engine's folder of files. Every script is in assets/. */
export function runtimeFolder(engine: string): string {
  return new URL(`../runtimes/${engine}/`, import.meta.url).href;
}
