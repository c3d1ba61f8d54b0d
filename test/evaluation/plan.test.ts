import assert from "node:assert/strict";
import { planTriggers } from "../../src/evaluation";

const tasks = ["a", "b", "c"];
const known = ["trojvit/a-seed0", "trojvit/b-seed0", "trojvit/c-seed0", "badnets/b-seed0"];

describe("planTriggers()", () => {
  it("planTriggers() takes each task's own trigger and the attackers' on every task", () => {
    const plan = planTriggers(tasks, known, { attacked: { b: "badnets/b-seed0" } });
    assert.deepEqual(
      [...plan],
      [
        ["a", ["trojvit/a-seed0", "badnets/b-seed0"]],
        ["b", ["badnets/b-seed0"]],
        ["c", ["trojvit/c-seed0", "badnets/b-seed0"]],
      ],
    );
  });

  it("planTriggers() takes the latent triggers where nobody attacked", () => {
    assert.deepEqual(
      [...planTriggers(tasks, known)].map(([, names]) => names),
      [["trojvit/a-seed0"], ["trojvit/b-seed0"], ["trojvit/c-seed0"]],
    );
  });

  it("planTriggers() takes all or some triggers on every task, each task's own first", () => {
    assert.deepEqual(planTriggers(tasks, known, { wanted: "all" }).get("c"), [known[2], known[0], known[1], known[3]]);
    assert.deepEqual(planTriggers(tasks, known, { wanted: ["badnets/b-seed0"] }).get("a"), ["badnets/b-seed0"]);
    assert.deepEqual(planTriggers(tasks, known, { wanted: [] }).get("a"), []);
  });

  it("planTriggers() rejects what it doesn't know", () => {
    assert.throws(
      () => planTriggers(tasks, known, { wanted: ["x"] }),
      /^RangeError: Cannot evaluate trigger "x": expected one of trojvit\/a-seed0/,
    );
    assert.throws(
      () => planTriggers(tasks, known, { attacked: { d: "x" } }),
      /^RangeError: Cannot evaluate attacked task "d": expected one of a, b, c$/,
    );
  });
});
