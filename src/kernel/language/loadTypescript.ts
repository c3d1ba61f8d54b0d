/** Loads TypeScript. */
export function loadTypescript(): void {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  require("typescript");
}
