// The runtimes' own files (WebAssembly and its glue), which the build puts beside the scripts.

/**
 * Return the address of an engine's folder of files; every script is in assets/.
 *
 * Under Node it is a path: glue does not fetch what has a file: URL, and Node has no XMLHttpRequest.
 */
export function runtimeFolder(engine: string): string {
  const { protocol, pathname, href } = new URL(`../runtimes/${engine}/`, import.meta.url);
  return protocol === 'file:' ? decodeURIComponent(pathname) : href;
}
