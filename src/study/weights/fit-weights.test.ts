/** @file Weights fitted to a network: under which names, and what becomes of the last layer. */

import { describe, expect, test } from "vitest";
import { WeightsError } from "../../core/errors.ts";
import type { Checkpoint, StoredTensor } from "../../formats/index.ts";
import { vanilla } from "../../models/index.ts";
import { fitWeights as fitFile, headOf } from "./fit-weights.ts";

const network = vanilla({ classes: 3, channels: 1, size: 16, widths: [4, 4], hidden: 8 });
const head = headOf(network);

/** Weights of the network, all different, with a last layer for so many classes. */
function weights(classes: number, change: (tensors: Map<string, StoredTensor>) => void = () => {}) {
  const tensors = new Map<string, StoredTensor>();
  let value = 0;
  for (const { name, role, shape } of network.build(1).tensors)
    if (role === "parameter" || role === "statistic") {
      const own = head.includes(name) ? [classes, ...shape.slice(1)] : [...shape];
      const count = own.reduce((product, extent) => product * extent, 1);
      tensors.set(name, { shape: own, data: Float32Array.from({ length: count }, () => value++) });
    }
  change(tensors);
  return { tensors, metadata: {} } satisfies Checkpoint;
}

const fitWeights = (
  checkpoint: Checkpoint,
  options?: Parameters<typeof fitFile>[2],
  into: typeof network = network,
) => fitFile({ checkpoint, source: "x.pth", sha256: "" }, into, options);

const renamed = (checkpoint: Checkpoint, to: (name: string) => string): Checkpoint => ({
  ...checkpoint,
  tensors: new Map([...checkpoint.tensors].map(([name, tensor]) => [to(name), tensor])),
});

describe("names", () => {
  test("every tensor under its own name; counters of batches are left alone", () => {
    const checkpoint = weights(3, (tensors) =>
      tensors.set("features.1.num_batches_tracked", { shape: [], data: BigInt64Array.of(4n) }),
    );
    const { tensors, replaced } = fitWeights(checkpoint);
    expect(replaced).toEqual([]);
    expect(tensors.size).toBe(checkpoint.tensors.size - 1);
  });

  test.each(["module.", "model.", "encoder.", "module.encoder.", "a.b.c.d."])(
    "behind %s",
    (prefix) => {
      const plain = fitWeights(weights(3));
      const fitted = fitWeights(renamed(weights(3), (name) => prefix + name));
      expect(fitted.prefix).toBe(prefix);
      expect([...fitted.tensors]).toEqual([...plain.tensors]);
    },
  );

  test.each(["_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"])(
    "%s, anywhere within",
    (wrapper) => {
      const within = (name: string) => {
        const [first, ...rest] = name.split(".");
        return `module.${first}.${wrapper}.${rest.join(".")}`;
      };
      const fitted = fitWeights(renamed(weights(3), within));
      expect([...fitted.tensors]).toEqual([...fitWeights(weights(3)).tensors]);
    },
  );

  test("of two copies behind prefixes, the first; the other is named as left out", () => {
    const [query, key] = ["encoder_q.", "encoder_k."].map((prefix) =>
      renamed(weights(3), (name) => prefix + name),
    );
    const fitted = fitWeights({
      tensors: new Map([...query!.tensors, ...key!.tensors]),
      metadata: {},
    });
    expect(fitted.prefix).toBe("encoder_q.");
    expect(fitted.leftOut?.[0]).toBe('"encoder_k.features.0.weight"');
    expect(fitted.leftOut?.at(-1)).toMatch(/^\d+ more$/);
  });

  test("a few names behind a prefix make no network: what is missing is listed without it", () => {
    const [first] = [...weights(3).tensors];
    const checkpoint = { tensors: new Map([[`other.${first![0]}`, first![1]]]), metadata: {} };
    expect(() => fitWeights(checkpoint)).toThrow(`"${first![0]}" [4, 1, 3, 3] is missing`);
  });
});

describe("refused", () => {
  test("whatever is missing, left over or misshapen is listed at once", () => {
    const checkpoint = weights(3, (tensors) => {
      const [first, second] = [...tensors.keys()] as [string, string];
      tensors.delete(first);
      tensors.set(second, { shape: [7], data: new Float32Array(7) });
      tensors.set("layer9.weight", { shape: [2], data: new Float32Array(2) });
    });
    const fit = () => fitWeights(checkpoint);
    expect(fit).toThrow(WeightsError);
    expect(fit).toThrow(/"features\.0\.weight" \[4, 1, 3, 3\] is missing/);
    expect(fit).toThrow(/"features\.0\.bias" must be \[4\]; got \[7\]/);
    expect(fit).toThrow(/"layer9\.weight" \[2\] is not in the network/);
  });

  test("a longer list is counted", () => {
    const many = weights(3, (tensors) => {
      for (let i = 0; i < 100; i++)
        tensors.set(`features.${i + 50}.weight`, { shape: [1], data: new Float32Array(1) });
    });
    expect(() => fitWeights(many)).toThrow("... and 76 more");
  });

  test("layers of the network's own modules, though its last layer is missing", () => {
    const deeper = weights(3, (tensors) => {
      for (const name of head) tensors.delete(name);
      tensors.set("features.99.weight", { shape: [1], data: new Float32Array(1) });
    });
    expect(() => fitWeights(deeper)).toThrow('"features.99.weight" [1] is not in the network');
  });

  test("integers are no weights", () => {
    const checkpoint = weights(3, (tensors) =>
      tensors.set("features.0.bias", { shape: [4], data: Int32Array.of(1, 2, 3, 4) }),
    );
    expect(() => fitWeights(checkpoint)).toThrow("floating-point");
  });

  test("nothing of the network at all", () => {
    const checkpoint = { tensors: new Map(), metadata: {} };
    expect(() => fitWeights(checkpoint)).toThrow("is missing");
  });
});

describe("the last layer", () => {
  const named = (classes: readonly string[], width = classes.length): Checkpoint => ({
    ...weights(width),
    metadata: { classes: JSON.stringify(classes) },
  });
  const rows = (fitted: ReturnType<typeof fitFile>, name: string) => {
    const width = fitted.tensors.get(name)!.length / 3;
    return [0, 1, 2].map((row) => [
      ...fitted.tensors.get(name)!.subarray(row * width, (row + 1) * width),
    ]);
  };

  test("of another width is replaced", () => {
    const { tensors, replaced, lastLayer } = fitWeights(weights(1000));
    expect(lastLayer).toBe("other-width");
    expect(replaced).toEqual(head);
    expect(replaced.length).toBe(2);
    for (const name of replaced) expect(tensors.has(name)).toBe(false);
  });

  test.each([0, 1])("missing in part or wholly begins anew (%i)", (kept) => {
    const checkpoint = weights(3, (tensors) => {
      for (const name of head.slice(kept)) tensors.delete(name);
    });
    expect(fitWeights(checkpoint)).toMatchObject({ lastLayer: "missing", replaced: [...head] });
  });

  test("missing, with another head in its place", () => {
    const checkpoint = weights(3, (tensors) => {
      for (const name of head) tensors.delete(name);
      tensors.set("projector.0.weight", { shape: [2], data: new Float32Array(2) });
    });
    const { lastLayer, leftOut } = fitWeights(checkpoint);
    expect({ lastLayer, leftOut }).toEqual({
      lastLayer: "missing",
      leftOut: ['"projector.0.weight"'],
    });
  });

  test("the same classes in the same order: as stored", () => {
    const fitted = fitWeights(named(["a", "b", "c"]), { classes: ["a", "b", "c"] });
    expect(fitted).toMatchObject({ lastLayer: "as-stored", replaced: [] });
  });

  test("in another order: rows by their classes' names, weight and bias", () => {
    const stored = fitWeights(named(["a", "b", "c"]));
    const fitted = fitWeights(named(["a", "b", "c"]), { classes: ["c", "a", "b"] });
    expect(fitted).toMatchObject({ lastLayer: "by-class", replaced: [] });
    for (const name of head) {
      const [a, b, c] = rows(stored, name);
      expect(rows(fitted, name), name).toEqual([c, a, b]);
    }
  });

  test("a choice among more classes takes their rows, whatever the width", () => {
    const fitted = fitWeights(named(["a", "b", "c", "d", "e"]), { classes: ["e", "b", "a"] });
    expect(fitted.lastLayer).toBe("by-class");
    const bias = named(["a", "b", "c", "d", "e"]).tensors.get(head.at(-1)!)!.data;
    expect([...fitted.tensors.get(head.at(-1)!)!]).toEqual([bias[4], bias[1], bias[0]]);
  });

  test("one name in two forms of Unicode is one class", () => {
    const fitted = fitWeights(named(["\u00e9", "b", "c"]), { classes: ["b", "e\u0301", "c"] });
    expect(fitted.lastLayer).toBe("by-class");
  });

  test.each([[["x", "y", "z"]], [["a", "b", "z"]]])(
    "other classes of the same number: %s",
    (classes) => {
      const fitted = fitWeights(named(["a", "b", "c"]), { classes });
      expect(fitted).toMatchObject({ lastLayer: "other-classes", replaced: [...head] });
    },
  );

  test("classes that the file does not name: as stored, and said", () => {
    const fitted = fitWeights(weights(3), { classes: ["a", "b", "c"] });
    expect(fitted).toMatchObject({ lastLayer: "unnamed", replaced: [] });
  });

  test.each(["7", "[1,2,3]", "{", '["a"]', "null"])("classes that are none (%s)", (text) => {
    const checkpoint = { ...weights(3), metadata: { classes: text } };
    expect(fitWeights(checkpoint, { classes: ["a", "b", "c"] }).lastLayer).toBe("unnamed");
  });
});

describe("a checkpoint of lrscope's", () => {
  /** With a state beside each parameter, as last.safetensors has it; statistics have none. */
  const averaged = (evaluationWeights: string): Checkpoint => {
    const checkpoint = weights(3, (tensors) => {
      for (const [name, { shape, data }] of [...tensors])
        if (!name.includes("running_"))
          tensors.set(`${name}:x`, { shape, data: (data as Float32Array).map((v) => -v) });
      tensors.set("snapshots:count", { shape: [1], data: Float32Array.of(2) });
    });
    return { ...checkpoint, metadata: { format: "lrscope-1", evaluationWeights } };
  };

  test("gives what its network was evaluated with", () => {
    const fitted = fitWeights(averaged('"x"'));
    expect(fitted.state).toBe("x");
    const [bias, mean] = ["features.0.bias", "features.1.running_mean"] as const;
    const { tensors } = weights(3);
    expect([...fitted.tensors.get(bias)!]).toEqual(
      [...tensors.get(bias)!.data].map((v) => -Number(v)),
    );
    if (tensors.has(mean))
      expect([...fitted.tensors.get(mean)!]).toEqual([...tensors.get(mean)!.data]);
  });

  test("or its parameters, where the optimizer has no such state", () => {
    const fitted = fitWeights(averaged("null"));
    expect(fitted.state).toBeUndefined();
    expect([...fitted.tensors]).toEqual([...fitWeights(weights(3)).tensors]);
  });

  test("a state that it does not hold is named", () => {
    expect(() => fitWeights(averaged('"slow"'))).toThrow(
      'x.pth: its network is evaluated with the state "slow", which it does not hold',
    );
  });
});
