// Node has no navigator before version 21.
if (!globalThis.navigator) {
  const navigator = { userAgent: `Node ${process.version}`, hardwareConcurrency: 1 };
  Object.defineProperty(globalThis, 'navigator', { value: navigator });
}

export {};
