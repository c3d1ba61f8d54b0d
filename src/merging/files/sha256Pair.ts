/** @file The sha256 of two files at a time (FIPS 180-4), where the native engine's addon is there: one thread hashes two hardly slower than one. */
import type { NativeHashing } from "../../engine/native/hashing";

/** Bytes of a file, by position. */
export interface HashedFile {
  readonly bytes: number;
  /** Fills the target with what begins there. */
  read(target: Uint8Array, position: number): void;
}

/** Of a piece of one file: two of them stay in a core's own cache. */
const PIECE_BYTES = 2 ** 17;
const BLOCK_BYTES = 64;
const LENGTH_BYTES = 8;
const INITIAL = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

/**
 * The sha256 of one or two files in lower-case hexadecimal, in their order.
 * @param stopped Asked between pieces; once true, what is returned means nothing.
 */
export function sha256Pair(files: readonly HashedFile[], { compress }: NativeHashing, stopped: () => boolean = () => false): string[] {
  const states = new Uint32Array(files.flatMap(() => INITIAL));
  const data = new Uint8Array(files.length * PIECE_BYTES);
  const common = Math.min(...files.map(({ bytes }) => bytes - (bytes % BLOCK_BYTES)));
  for (let done = 0; done < common && !stopped(); done += PIECE_BYTES) {
    const length = Math.min(PIECE_BYTES, common - done);
    for (const [index, file] of files.entries()) file.read(data.subarray(index * PIECE_BYTES, index * PIECE_BYTES + length), done);
    compress(states, data, length / BLOCK_BYTES);
  }
  return files.map((file, index) => {
    const state = states.subarray(8 * index, 8 * index + 8);
    const piece = data.subarray(0, PIECE_BYTES);
    const whole = file.bytes - (file.bytes % BLOCK_BYTES);
    for (let done = common; done < whole && !stopped(); done += PIECE_BYTES) {
      const length = Math.min(PIECE_BYTES, whole - done);
      file.read(piece.subarray(0, length), done);
      compress(state, piece, length / BLOCK_BYTES);
    }
    const tail = lastBlocks(file);
    compress(state, tail, tail.length / BLOCK_BYTES);
    return Array.from(state, (word) => word.toString(16).padStart(8, "0")).join("");
  });
}

/** What follows a file's last whole block, the bit that ends it, zeros, and its length in bits. */
function lastBlocks({ bytes, read }: HashedFile): Uint8Array {
  const rest = bytes % BLOCK_BYTES;
  const blocks = Buffer.alloc(rest + 1 + LENGTH_BYTES > BLOCK_BYTES ? 2 * BLOCK_BYTES : BLOCK_BYTES);
  read(blocks.subarray(0, rest), bytes - rest);
  blocks[rest] = 0x80;
  blocks.writeBigUInt64BE(8n * BigInt(bytes), blocks.length - LENGTH_BYTES);
  return new Uint8Array(blocks.buffer, blocks.byteOffset, blocks.length);
}
