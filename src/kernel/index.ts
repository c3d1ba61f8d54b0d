/** What code in a cell can ask of the damlab kernel. Outside of the kernel these functions throw, except `display`, which prints. */
export type { DisplayHandle, DisplayOptions, KernelComm } from "./api";
export { clearOutput, comms, display, getpass, input, page } from "./functions";
export { html, json, latex, markdown, png, svg } from "./richText";
