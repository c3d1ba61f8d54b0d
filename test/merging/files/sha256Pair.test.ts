import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { randomStream } from "../../../src/engine";
import { nativeHashing, type NativeHashing } from "../../../src/engine/native/hashing";
import { sha256Pair, type HashedFile } from "../../../src/merging/files/sha256Pair";
import { skipBecause } from "../../skip";

/** A file of random bytes, and its sha256 by Node. */
function fileOf(bytes: number, seed: number): HashedFile & { readonly sha256: string } {
  const stream = randomStream(seed, "file");
  const content = Uint8Array.from({ length: bytes }, () => stream.integer(256));
  return {
    bytes,
    sha256: createHash("sha256").update(content).digest("hex"),
    read(target, position) {
      assert.ok(position + target.length <= bytes);
      target.set(content.subarray(position, position + target.length));
    },
  };
}

/** As in sha256Pair.ts. */
const PIECE = 2 ** 17;

describe("sha256Pair()", () => {
  let hashing: NativeHashing;

  before(function () {
    const found = nativeHashing();
    if (found === null) skipBecause(this, "there is no native engine (damlab setup native), or the processor lacks SHA instructions");
    hashing = found;
  });

  it("sha256Pair() gives Node's hashes of one file and of two, of every length around a block", () => {
    for (let bytes = 0; bytes <= 200; bytes++) {
      const [a, b] = [fileOf(bytes, 1), fileOf((7 * bytes) % 131, 2)];
      assert.deepEqual(sha256Pair([a], hashing), [a.sha256]);
      assert.deepEqual(sha256Pair([a, b], hashing), [a.sha256, b.sha256], `${a.bytes} and ${b.bytes} bytes`);
    }
  });

  it("sha256Pair() gives Node's hashes of files of several pieces, whichever is longer", () => {
    for (const [first, second] of [
      [PIECE, PIECE],
      [3 * PIECE + 1, PIECE - 1],
      [0, 2 * PIECE + 63],
      [PIECE + 64, 4 * PIECE + 119],
    ] as const) {
      const [a, b] = [fileOf(first, 3), fileOf(second, 4)];
      assert.deepEqual(sha256Pair([a, b], hashing), [a.sha256, b.sha256], `${first} and ${second} bytes`);
    }
  });

  it("sha256Pair() stops reading when it is told to, and hands on what a file throws", () => {
    let asked = 0;
    let read = 0;
    const endless: HashedFile = { bytes: 100 * PIECE, read: () => void read++ };
    sha256Pair([endless, endless], hashing, () => ++asked > 2);
    assert.ok(read < 10, `${read} reads`);
    const shrunk: HashedFile = {
      bytes: 10,
      read() {
        throw new RangeError("the file has shrunk");
      },
    };
    assert.throws(() => sha256Pair([shrunk], hashing), /the file has shrunk/);
  });

  it("the addon refuses states and bytes that do not fit", () => {
    for (const call of [
      () => hashing.compress(new Uint32Array(7), new Uint8Array(64), 1),
      () => hashing.compress(new Uint32Array(8), new Uint8Array(64), 2),
      () => hashing.compress(new Uint32Array(16), new Uint8Array(64), 1),
      () => hashing.compress(new Float32Array(8) as never, new Uint8Array(64), 1),
    ]) {
      assert.throws(call, { name: "TypeError", message: /^expected the states of one or two streams/ });
    }
  });
});
