/**
 * First file of every worker thread: runs an exported function of the file that the request names. Plain JavaScript, and shipped as it is,
 * because a thread can load TypeScript sources only after tsx is there.
 */
module.exports = async ({ entry, name, request }) => {
  if (entry.endsWith(".ts")) require("tsx/cjs");
  return require(entry)[name](request);
};
