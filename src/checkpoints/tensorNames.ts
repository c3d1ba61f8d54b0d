/**
 * @file Names of the CLIP vision tower as in Hugging Face `CLIPVisionModelWithProjection`. Wrappers put prefixes before them
 * (`clip.vision_model.…`, `model.vision_tower.vision_model.…`), and the bare tower drops its own (`encoder.…`).
 */

const PROJECTION = "visual_projection.weight";
// Greedy, so that the innermost `vision_model.` counts: some wrappers use the same word.
const TOWER = /^(?:.*\.)?(vision_model\..+)$/s;
const WRAPPED_PROJECTION = /(?:^|\.)visual_projection\.weight$/;
const BARE_TOWER =
  /^(?:embeddings\.(?:class_embedding|patch_embedding\.weight|position_embedding\.weight|position_ids)|encoder\.layers\.\d+\..+|(?:pre_layrnorm|post_layernorm)\.(?:weight|bias))$/;
const BARE_PREFIX = /^(?:(?:module|model|vision_model|vision_tower|vision_encoder|visual|image_encoder)\.)*/;
const TEXT_TOWER = /(?:^|\.)(?:text_model|text_encoder)\.|token_embedding|final_layer_norm/;

/** Order of the parts in the module, and so of the parameters. */
const PARTS = [
  "vision_model.embeddings.",
  "vision_model.pre_layrnorm.",
  "vision_model.encoder.",
  "vision_model.post_layernorm.",
  PROJECTION,
];

/** Stored names sorted into the tower's parameters and what is not part of it. */
export interface ResolvedNames {
  /** Canonical name -> stored name, in parameter order. Empty if these are not the names of a vision tower. */
  readonly stored: ReadonlyMap<string, string>;
  /** Stored names that are not of the vision tower or its projection, such as the text tower's. */
  readonly others: readonly string[];
}

/**
 * Resolves prefixes.
 * @throws {SyntaxError} if two stored names mean the same parameter.
 */
export function resolveNames(names: Iterable<string>): ResolvedNames {
  const all = [...names];
  const found: [canonical: string, stored: string][] = [];
  const others: string[] = [];
  // Without its own prefix the text tower's names look the same, so bare names count only where there is no text tower.
  const bare = !all.some((name) => TOWER.test(name)) && !all.some((name) => TEXT_TOWER.test(name));
  for (const name of all) {
    const canonical = canonicalName(name, bare);
    if (canonical === undefined) others.push(name);
    else found.push([canonical, name]);
  }
  found.sort(([a], [b]) => compareParameters(a, b));
  const stored = new Map<string, string>();
  for (const [canonical, name] of found) {
    const other = stored.get(canonical);
    if (other !== undefined) throw new SyntaxError(`expected one tensor for "${canonical}", got "${other}" and "${name}"`);
    stored.set(canonical, name);
  }
  return { stored, others };
}

/** Whether a parameter is a buffer, which is never trained nor merged. */
export function isBufferName(name: string): boolean {
  return name.endsWith("embeddings.position_ids");
}

function canonicalName(name: string, bare: boolean): string | undefined {
  if (WRAPPED_PROJECTION.test(name)) return PROJECTION;
  const tower = TOWER.exec(name);
  if (tower !== null) return tower[1]!;
  const stripped = name.replace(BARE_PREFIX, "");
  return bare && BARE_TOWER.test(stripped) ? `vision_model.${stripped}` : undefined;
}

/** By part of the module, then by name with numbers by their value. */
function compareParameters(a: string, b: string): number {
  return partOf(a) - partOf(b) || compareNaturally(a, b);
}

function partOf(name: string): number {
  const part = PARTS.findIndex((prefix) => name.startsWith(prefix));
  return part >= 0 ? part : PARTS.length;
}

function compareNaturally(a: string, b: string): number {
  const left = a.split(/(\d+)/);
  const right = b.split(/(\d+)/);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i] === right[i]) continue;
    const difference = i % 2 === 1 ? Number(left[i]) - Number(right[i]) : 0;
    return difference !== 0 ? difference : left[i]! < right[i]! ? -1 : 1;
  }
  return left.length - right.length;
}
