/** Methods that defend, by name; all others are baselines where a defence is judged. */
export const DEFENCES: ReadonlySet<string> = new Set(["dam", "purify"]);
