import assert from "node:assert/strict";
import { TestKernel } from "./client";

describe("values and errors of cells", () => {
  let kernel: TestKernel;
  before(async () => (kernel = await TestKernel.start()));
  after(() => kernel.stop());

  /** Cells that end in an error, whatever it is; the kernel must go on. */
  const ODD = {
    "an error whose stack throws":
      'const odd = new Error("odd");\nObject.defineProperty(odd, "stack", { get() { throw new Error("stack"); } });\nthrow odd',
    "an object that throws when it is looked at": 'throw new Proxy({}, { get() { throw new Error("trap"); } })',
    "a value whose formats hold themselves":
      'const loop: any = {};\nloop.own = loop;\n({ [Symbol.for("Jupyter.display")]: () => ({ "application/json": loop }) })',
    "a display that is no bundle": '({ [Symbol.for("Jupyter.display")]: () => 5 })',
  };

  for (const [what, code] of Object.entries(ODD))
    it(`${what} is an error of its cell`, async () => {
      const { reply } = await kernel.execute(code);
      assert.equal(reply.content.status, "error");
      assert.equal((await kernel.execute("1 + 1")).result, "2");
    });

  it("a user expression whose formats are no JSON is an error of its own", async () => {
    const endless =
      '(() => { const own: any = {}; own.own = own; return { [Symbol.for("Jupyter.display")]: () => ({ "application/json": own }) }; })()';
    const { user_expressions } = (await kernel.execute("1", { user_expressions: { endless, fine: "2" } })).reply.content;
    assert.deepEqual([user_expressions.endless.status, user_expressions.fine.data["text/plain"]], ["error", "2"]);
  });

  it("a figure of typed arrays and big integers is one of lists", async () => {
    const { published } = await kernel.execute("({ data: [{ y: new Float32Array([1, 2]), x: [1n, 2n] }], layout: {} })");
    const { data } = published.find(({ type }) => type === "execute_result")!.content;
    assert.deepEqual(data["application/vnd.plotly.v1+json"].data, [{ y: [1, 2], x: [1, 2] }]);
  });

  it("bytes of a picture are shown as base64", async () => {
    const { published } = await kernel.execute('display({ "image/png": new Uint8Array([137, 80]) }, { raw: true });');
    assert.equal(published.find(({ type }) => type === "display_data")!.content.data["image/png"], "iVA=");
  });

  it("the lines of a tensor stand below each other", async () => {
    const tensor = '({ dtype: "float32", shape: [2, 1], dataSync() {}, toString: () => "Tensor\\n    [[1],\\n     [2]]" })';
    assert.equal((await kernel.execute(tensor)).result, "Tensor float32 [2, 1]\n[[1],\n [2]]");
  });
});
