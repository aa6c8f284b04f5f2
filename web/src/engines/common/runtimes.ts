// The runtimes' own files (WebAssembly and its glue): the build puts them beside the scripts.

/** Return the address of an engine's folder of files. Every script lies in assets/. */
export function runtimeFolder(engine: string): string {
  return new URL(`../runtimes/${engine}/`, import.meta.url).href;
}
