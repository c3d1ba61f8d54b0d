const modules = new Map<string, WebAssembly.Module | null>();

/**
 * The functions of a compiled module on a memory; each module is compiled once a thread.
 * @param base64 The module, as build.cjs writes it.
 * @returns null where the runtime lacks WebAssembly SIMD.
 */
export function instantiateSimd<Exports>(base64: string, memory: WebAssembly.Memory): Exports | null {
  let module = modules.get(base64);
  if (module === undefined) {
    const bytes = Buffer.from(base64, "base64");
    module = WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : null;
    modules.set(base64, module);
  }
  return module && (new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Exports);
}
