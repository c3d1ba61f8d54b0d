import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { openSafetensors, SafetensorsError } from "../../src/checkpoints";
import { FIXTURES, fileBytes, withFolder } from "./expected";

/** A corrupted file: what is wrong, its bytes, what the message says, and the tensor it names. */
type Case = readonly [title: string, bytes: Buffer, message: RegExp, tensor?: string];

const FOUR = Buffer.alloc(4);
const EIGHT = Buffer.alloc(8);

/** A header entry, given the text of its parts. */
function entry({ dtype = '"F32"', shape = "[1]", offsets = "[0,4]", extra = "" } = {}): string {
  return `{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}${extra}}`;
}

/** A file of one tensor "w" with parts changed. */
function one(parts: Parameters<typeof entry>[0], data: Buffer = FOUR): Buffer {
  return fileBytes(`{"w":${entry(parts)}}`, data);
}

function lengthPrefix(length: bigint, rest = "{}"): Buffer {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(length);
  return Buffer.concat([prefix, Buffer.from(rest)]);
}

const whole = readFileSync(join(FIXTURES, "dtypes.safetensors"));
const INTEGER = /invalid header: expected a non-negative integer, got/;

const CASES: readonly Case[] = [
  ["an empty file", Buffer.alloc(0), /expected 8 bytes that tell the header's length, got a file of 0$/],
  ["a cut length", Buffer.alloc(7), /got a file of 7$/],
  ["no header", Buffer.alloc(8), /expected a JSON header that starts with "\{", got nothing$/],
  ["a cut header", whole.subarray(0, 100), /expected a header of \d+ bytes, got a file with 92 bytes after its length$/],
  ["cut data", whole.subarray(0, whole.length - 1), /expected data within the file's \d+ bytes of data/, "BOOL"],
  [
    "a header of 2^64 - 1 bytes",
    lengthPrefix(2n ** 64n - 1n),
    /expected a header of at most 10000000 bytes \(.*\), got 18446744073709551615$/,
  ],
  ["a header of 2^63 bytes", lengthPrefix(2n ** 63n), /got 9223372036854775808$/],
  ["a header past the limit", lengthPrefix(10_000_001n), /got 10000001$/],
  ["a header past the file", lengthPrefix(3n), /expected a header of 3 bytes, got a file with 2/],
  ["no JSON", fileBytes("hello"), /starts with "\{", got "hello"$/],
  ["an array for a header", fileBytes("[]"), /starts with "\{", got "\[\]"$/],
  ["leading white space", fileBytes(" {}"), /starts with "\{", got " \{\}"$/],
  ["a byte order mark", fileBytes("\ufeff{}"), /starts with "\{", got "\\ufeff\{\}"$/],
  ["text after the header", fileBytes("{} x"), /expected the end, got "x" at character 3$/],
  ["a NUL after the header", fileBytes("{}\0"), /expected the end/],
  ["a cut JSON", fileBytes(`{"w":${entry()}`, FOUR), /expected "}", got the end/],
  ["a trailing comma", fileBytes(`{"w":${entry()},}`, FOUR), /expected a string, got "}"/],
  ["single quotes", fileBytes("{'w':1}"), /expected a string, got "'w'/],
  ["bad UTF-8 in a name", fileBytes(Buffer.concat([Buffer.from('{"'), Buffer.of(0xff), Buffer.from(`":${entry()}}`)]), FOUR), /in UTF-8/],
  ["UTF-8 of a surrogate", fileBytes(Buffer.concat([Buffer.from('{"'), Buffer.of(0xed, 0xa0, 0x80), Buffer.from('":{}}')])), /in UTF-8/],
  ["overlong UTF-8", fileBytes(Buffer.concat([Buffer.from('{"'), Buffer.of(0xc0, 0x80), Buffer.from('":{}}')])), /in UTF-8/],
  ["a lone surrogate", fileBytes(`{"\\ud800":${entry()}}`, FOUR), /without lone surrogates/],
  ["a control character in a name", fileBytes(`{"a\nb":${entry()}}`, FOUR), /no control character in a string, got "\\n/],
  ["an unknown escape", fileBytes(`{"a\\x":${entry()}}`, FOUR), /expected an escape that JSON knows/],
  ["a name twice", fileBytes(`{"w":${entry()},"w":${entry()}}`, FOUR), /expected each name once, it comes twice/, "w"],
  ["a name twice, once escaped", fileBytes(`{"w":${entry()},"\\u0077":${entry()}}`, FOUR), /it comes twice/, "w"],
  ["metadata twice", fileBytes('{"__metadata__":{},"__metadata__":{}}'), /it comes twice/],
  ["a metadata key twice", fileBytes('{"__metadata__":{"a":"1","a":"2"}}'), /each metadata key once, "a" comes twice/],
  ["a number as metadata", fileBytes('{"__metadata__":{"a":1}}'), /expected a string as metadata "a", got "1}}"/],
  ["nested metadata", fileBytes('{"__metadata__":{"a":{}}}'), /expected a string as metadata "a"/],
  ["a list of metadata", fileBytes('{"__metadata__":["a"]}'), /expected "\{", got "\["a"\]}"|expected "\{", got/],
  ["null metadata", fileBytes('{"__metadata__":null}'), /expected "\{", got "null}"/],
  ["__proto__ without a body", fileBytes('{"__proto__":{}}'), /expected dtype, shape and data_offsets before/, "__proto__"],
  ["__proto__ as a key", one({ extra: ',"__proto__":{}' }), /found key "__proto__"/, "w"],
  ["__proto__ twice", fileBytes(`{"__proto__":${entry()},"__proto__":${entry()}}`, FOUR), /it comes twice/, "__proto__"],
  ["an unknown key", one({ extra: ',"stride":[1]' }), /expected only dtype, shape and data_offsets, each once, found key "stride"/, "w"],
  ["a key twice", one({ extra: ',"dtype":"F32"' }), /found key "dtype"/, "w"],
  ["a missing key", fileBytes('{"w":{"dtype":"F32","shape":[1]}}', FOUR), /expected dtype, shape and data_offsets before/, "w"],
  ["a number for a tensor", fileBytes('{"w":1}', FOUR), /expected "\{", got "1}"/, "w"],
  ["a list for a tensor", fileBytes('{"w":["F32",[1],[0,4]]}', FOUR), /expected "\{", got/, "w"],
  ["null for a tensor", fileBytes('{"w":null}', FOUR), /expected "\{", got "null}"/, "w"],
  ["an unknown dtype", one({ dtype: '"F31"' }), /unsupported dtype: expected one of U64 I64 .* BOOL, got "F31"$/, "w"],
  ["a dtype that we lack", one({ dtype: '"C64"', offsets: "[0,8]" }, EIGHT), /unsupported dtype: .* got "C64"$/, "w"],
  ["a dtype in lower case", one({ dtype: '"f32"' }), /got "f32"$/, "w"],
  ["a dtype named as a method", one({ dtype: '"toString"' }), /got "toString"$/, "w"],
  ["a number for a dtype", one({ dtype: "32" }), /expected a string as dtype/, "w"],
  ["a NaN shape", one({ shape: "[NaN]" }), INTEGER, "w"],
  ["a fractional shape", one({ shape: "[1.0]" }), INTEGER, "w"],
  ["a negative shape", one({ shape: "[-1]" }), INTEGER, "w"],
  ["two negative sizes", one({ shape: "[-1,-1]" }), INTEGER, "w"],
  ["a negative zero", one({ shape: "[-0]", offsets: "[0,0]" }, Buffer.alloc(0)), INTEGER, "w"],
  ["an exponent", one({ shape: "[1e0]" }), INTEGER, "w"],
  ["a leading zero", one({ shape: "[01]" }), INTEGER, "w"],
  ["a text size", one({ shape: '["1"]' }), INTEGER, "w"],
  ["a null size", one({ shape: "[null]" }), INTEGER, "w"],
  ["a null shape", one({ shape: "null" }), /expected an array as shape/, "w"],
  ["an object as shape", one({ shape: '{"0":1}' }), /expected an array as shape/, "w"],
  ["a size of 2^53", one({ shape: "[9007199254740992]" }), /integer of at most 2\^53 - 1/, "w"],
  ["a size past 2^64", one({ shape: "[99999999999999999999999]" }), /integer of at most 2\^53 - 1/, "w"],
  ["an overflowing shape", one({ shape: "[4294967296,4294967296]" }), /expected a size below 2\^53 bytes, got F32 of shape/, "w"],
  ["an overflow that wraps to 4 bytes", one({ shape: "[4294967295,4294967297]" }), /expected a size below 2\^53 bytes/, "w"],
  ["an overflow that a zero hides", one({ shape: "[4294967296,4294967296,0]", offsets: "[0,0]" }, Buffer.alloc(0)), /below 2\^53/, "w"],
  ["a size that overflows with the dtype", one({ dtype: '"F64"', shape: "[2251799813685248]" }), /below 2\^53 bytes/, "w"],
  ["NaN offsets", one({ offsets: "[NaN,4]" }), INTEGER, "w"],
  ["fractional offsets", one({ offsets: "[0,4.5]" }), INTEGER, "w"],
  ["negative offsets", one({ offsets: "[-4,0]" }), INTEGER, "w"],
  ["infinite offsets", one({ offsets: "[0,Infinity]" }), INTEGER, "w"],
  ["an overflowing offset", one({ offsets: "[0,18446744073709551620]" }), /integer of at most 2\^53 - 1/, "w"],
  ["one offset", one({ offsets: "[0]" }), /expected ",", got "]/, "w"],
  ["three offsets", one({ offsets: "[0,4,4]" }), /expected "]", got ",4]/, "w"],
  ["offsets the wrong way round", one({ offsets: "[4,0]" }), /expected data_offsets in ascending order, got \[4, 0\]$/, "w"],
  [
    "offsets past the file",
    one({ shape: "[2]", offsets: "[0,8]" }),
    /expected data within the file's 4 bytes of data, got data_offsets \[0, 8\]$/,
    "w",
  ],
  ["offsets far past the file", one({ offsets: "[9007199254740984,9007199254740988]" }), /expected data within the file's 4 bytes/, "w"],
  ["too few bytes for the shape", one({ shape: "[2]" }), /expected 8 bytes for F32 of shape \[2\], got 4$/, "w"],
  ["too many bytes for the shape", one({ offsets: "[0,8]" }, EIGHT), /expected 4 bytes for F32 of shape \[1\], got 8$/, "w"],
  ["bytes for the wrong dtype", one({ dtype: '"F64"' }), /expected 8 bytes for F64 of shape \[1\], got 4$/, "w"],
  ["bytes for an empty tensor", one({ shape: "[0]" }), /expected 0 bytes for F32 of shape \[0\], got 4$/, "w"],
  ["a hole at the start", one({ offsets: "[4,8]" }, EIGHT), /expected no hole after byte 0 of the data/, "w"],
  ["a hole", fileBytes(`{"a":${entry()},"b":${entry({ offsets: "[8,12]" })}}`, Buffer.alloc(12)), /expected no hole after byte 4/, "b"],
  [
    "an overlap",
    fileBytes(`{"a":${entry({ shape: "[2]", offsets: "[0,8]" })},"b":${entry({ offsets: "[4,8]" })}}`, EIGHT),
    /expected no overlap with "a", which ends at 8/,
    "b",
  ],
  ["the same bytes twice", fileBytes(`{"a":${entry()},"b":${entry()}}`, FOUR), /expected no overlap with "a"/, "b"],
  ["trailing bytes", one({}, EIGHT), /expected 4 bytes of data as in the header, got 8$/],
  ["data without tensors", fileBytes("{}", FOUR), /expected 0 bytes of data as in the header, got 4$/],
  ["deep nesting", fileBytes(`{"w":${"[".repeat(1_000_000)}`), /expected "\{", got/, "w"],
  ["deep nesting in a key", fileBytes(`${'{"w":'.repeat(100_000)}`), /found key "w"/, "w"],
  ["deep nesting in metadata", fileBytes(`{"__metadata__":${'{"a":'.repeat(100_000)}`), /expected a string as metadata/],
  ["deep nesting in a shape", one({ shape: "[".repeat(100_000) }), INTEGER, "w"],
  [
    "a name that writes lines",
    fileBytes(`{"a\\nb\\u001b[31m\\u2028\u202e":1}`),
    /tensor "a\\nb\\u001b\[31m\\u2028\\u202e" of/,
    "a\nb\u001b[31m\u2028\u202e",
  ],
  ["a name of a million letters", fileBytes(`{"${"n".repeat(1_000_000)}":1}`), /tensor "n{120}…" of/, "n".repeat(1_000_000)],
  [
    "a million dimensions",
    one({ shape: `[${"1,".repeat(999_999)}1]`, offsets: "[0,8]" }, EIGHT),
    /of shape \[1(, 1){15}, …\] of 1000000 sizes, got 8$/,
    "w",
  ],
  ["a string that never ends", fileBytes(`{"${"x".repeat(1_000_000)}`), /expected the end of a string, got the end/],
  ["spaces only", fileBytes(`{${" ".repeat(1_000_000)}`), /got the end/],
];

async function rejection(file: string): Promise<SafetensorsError> {
  const error: unknown = await openSafetensors(file).then(
    (source) => source.close().then(() => assert.fail("Expected the file to be refused")),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof SafetensorsError, String(error));
  return error;
}

describe("openSafetensors() refuses", () => {
  for (const [title, bytes, message, tensor] of CASES) {
    it(title, () =>
      withFolder(async (folder) => {
        const file = join(folder, "bad.safetensors");
        await writeFile(file, bytes);
        const start = performance.now();
        const error = await rejection(file);
        assert.ok(performance.now() - start < 1000, "Expected less than a second");
        assert.match(error.message, message);
        assert.ok(error.message.includes(file));

        assert.doesNotMatch(error.message, /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e]/);
        assert.ok(error.message.length < file.length + 500, `${error.message.length} characters`);
        assert.equal(error.file, file);
        if (tensor !== undefined) assert.equal(error.tensor, tensor);
      }),
    );
  }

  it("a folder", () => withFolder(async (folder) => assert.match((await rejection(folder)).message, /expected a regular file/)));

  it("a header of 100 MB in a moment, without reading it", () =>
    withFolder(async (folder) => {
      const file = join(folder, "huge.safetensors");
      await writeFile(file, lengthPrefix(100_000_000n, "{"));
      const handle = await open(file, "r+");
      await handle.truncate(100_000_008);
      await handle.close();
      const before = process.memoryUsage();
      const start = performance.now();
      assert.match((await rejection(file)).message, /expected a header of at most 10000000 bytes/);
      assert.ok(performance.now() - start < 100);
      assert.ok(process.memoryUsage().arrayBuffers - before.arrayBuffers < 1e6);
    }));

  it("claims of terabytes without allocating them", () =>
    withFolder(async (folder) => {
      const file = join(folder, "claims.safetensors");
      const size = 2 ** 42;
      await writeFile(file, one({ shape: `[${size}]`, offsets: `[0,${4 * size}]` }));
      const before = process.memoryUsage();
      assert.equal((await rejection(file)).tensor, "w");
      assert.ok(process.memoryUsage().arrayBuffers - before.arrayBuffers < 1e6);
    }));

  it("each cut of a good file", () =>
    withFolder(async (folder) => {
      const file = join(folder, "cut.safetensors");
      const lengths = fc.integer({ min: 0, max: whole.length - 1 });
      await fc.assert(
        fc.asyncProperty(lengths, async (length) => {
          await writeFile(file, whole.subarray(0, length));
          assert.equal((await rejection(file)).file, file);
        }),
        { numRuns: 60, seed: 4 },
      );
    }));

  it("random damage with a SafetensorsError, or reads what is still a good file", () =>
    withFolder(async (folder) => {
      const file = join(folder, "damaged.safetensors");
      const header = 8 + whole.readUInt32LE();
      const damage = fc.array(fc.tuple(fc.nat(header - 1), fc.nat(255)), { minLength: 1, maxLength: 3 });
      await fc.assert(
        fc.asyncProperty(damage, async (places) => {
          const bytes = Buffer.from(whole);
          for (const [position, value] of places) bytes[position] = value;
          await writeFile(file, bytes);
          try {
            const source = await openSafetensors(file);
            for (const name of source.tensors.keys()) await source.readValues(name);
            await source.close();
          } catch (error) {
            assert.ok(error instanceof SafetensorsError, String(error));
            assert.ok(!error.message.includes("\n"));
          }
        }),
        { numRuns: 300, seed: 5 },
      );
    }));

  it("a header that is only just short enough, after less than a second of work", () =>
    withFolder(async (folder) => {
      const file = join(folder, "many.safetensors");
      // 9.9 MB of empty tensors; the last one is bad.
      const rows = Array.from({ length: 172_000 }, (_, i) => `"${i}":${entry({ shape: "[0]", offsets: "[0,0]" })}`);
      await writeFile(file, fileBytes(`{${rows.join(",")},"171999":${entry({ shape: "[0]", offsets: "[0,0]" })}}`));
      const start = process.cpuUsage();
      assert.match((await rejection(file)).message, /it comes twice/);
      // Work, not time: other processes share the machine.
      const { user, system } = process.cpuUsage(start);
      assert.ok(user + system < 1e6, `${user + system} µs`);
    }));
});
