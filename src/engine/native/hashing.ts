/** The addon `hashing.node` of an installation of the native engine, which needs no TensorFlow. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import { findInstallation, nativeHome } from "./home";

/** SHA-256 by the processor's own instructions; see `kernel-setup/native/hashing.cc`. */
export interface NativeHashing {
  /**
   * Adds blocks of 64 bytes to the states of one or two streams, in hardly more time for two.
   * @param states Eight words a stream.
   * @param data The bytes of two streams begin at its halves.
   * @param blocks How many of each stream.
   */
  compress(states: Uint32Array, data: Uint8Array, blocks: number): void;
}

const known = new Map<string, NativeHashing | null>();

/** The addon of this user's installation; null where there is none, or the processor lacks the instructions. */
export function nativeHashing(): NativeHashing | null {
  const home = nativeHome();
  let hashing = known.get(home);
  if (hashing === undefined) {
    const folder = findInstallation("native")?.folder;
    hashing = folder === undefined ? null : loadHashing(folder);
    known.set(home, hashing);
  }
  return hashing;
}

/** The addon of one installation; null where it does not serve. */
export function loadHashing(folder: string): NativeHashing | null {
  const file = path.join(folder, "lib", "hashing.node");
  if (!existsSync(file)) return null;
  try {
    const { compress } = createRequire(__filename)(file) as Partial<NativeHashing>;
    return compress ? { compress } : null;
  } catch {
    // Made for another C library, say: Node's own hashing is there.
    return null;
  }
}
