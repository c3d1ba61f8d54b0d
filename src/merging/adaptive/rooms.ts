/**
 * @file Memory of a merged model's size that steps fill again and again. Memory that the system hands out afresh costs more time than what is
 * computed in it: at CLIP-ViT-B/32 size a room is 350 MB.
 */

/** What rooms are for: m, θ, G, and what an iteration needs beside them for a while. */
export type RoomName = "mask" | "theta" | "gradient" | "spare";

/** Rooms of one run; each is made when it is first asked for. Whoever takes one ends the life of what lay there. */
export class Rooms {
  private readonly arrays = new Map<RoomName, Float32Array>();

  /** @param length Elements of all merged parameters together. */
  constructor(private readonly length: number) {}

  /** The room, with whatever was left in it. */
  take(name: RoomName): Float32Array {
    const room = this.arrays.get(name) ?? new Float32Array(this.length);
    this.arrays.set(name, room);
    return room;
  }

  /** Lets go of all rooms. */
  clear(): void {
    this.arrays.clear();
  }
}
