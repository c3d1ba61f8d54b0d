/** A round starts the Jupyter kernel and waits for the answer of its first cell. */
import { TestKernel } from "../../test/kernel/client";
import { serveRounds } from "./serve";

void serveRounds({}, async () => {
  const kernel = await TestKernel.start();
  await kernel.execute("1 + 1");
  await kernel.stop();
});
