/** @file Folders as people have them: parts by other names, names that are no text, files that are there twice. */

import { mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { legibleName, nameOfBytes } from "../../src/files/file-names.ts";
import { open, plain, temporaryFolder, writeTree } from "./fixtures.ts";

const CLASSES = ["rose", "tulip"];
let grey = 0;
/** A picture that no other is. */
const picture = () => plain(++grey % 256, grey >> 8, 7);

/** Class folders in each of the parts, of four pictures each. */
async function parts(...names: string[]): Promise<string> {
  const files: Record<string, Uint8Array> = {};
  for (const part of names)
    for (const name of CLASSES)
      for (let i = 0; i < 4; i++) files[`${part}/${name}/${i}.png`] = await picture();
  return writeTree(files);
}

describe("parts", () => {
  test.each([
    ["Training", "Testing"],
    ["Train", "Val"],
    ["training", "validation"],
    ["train", "eval"],
    ["train", "dev"],
    ["train", "holdout"],
    ["TRAIN", "Hold-Out"],
    ["training_set", "test_set"],
    ["train-images", "valid images"],
  ])("%s and %s", async (train, validation) => {
    const { record } = await open(await parts(train, validation), { size: 8 });
    expect(record.classes).toEqual(
      CLASSES.map((name) => ({ name, count: 8, train: 4, validation: 4 })),
    );
  });

  test("a third one tests", async () => {
    const folder = await parts("Train", "Valid", "Test");
    const { record } = await open(folder, { size: 8 });
    expect(record.classes).toEqual(
      CLASSES.map((name) => ({ name, count: 12, train: 4, validation: 4, test: 4 })),
    );
    await expect(open(folder, { test: 0.2 })).rejects.toThrow(/test part of its own/);
    const limited = await open(folder, { size: 8, limit: 6 });
    expect(limited.record.classes[0]).toMatchObject({ train: 3, validation: 3, test: 3 });
  });

  test("names of parts without one to train on are classes", async () => {
    const folder = writeTree({
      ...{ "val/0.png": await picture(), "val/1.png": await picture() },
      ...{ "test/0.png": await picture(), "test/1.png": await picture() },
    });
    expect((await open(folder, { size: 8 })).classes).toEqual(["test", "val"]);
  });

  test("two of one kind are refused", async () => {
    await expect(open(await parts("Train", "training", "val"))).rejects.toThrow(
      /"Train" and "training" both name the training part/,
    );
  });

  test("folders that all hold the same folders are no classes", async () => {
    await expect(open(await parts("round one", "round two", "three"))).rejects.toThrow(
      /look like parts and not like classes; name them train and val/,
    );
    // One folder in each is how some archives lay out a class.
    const nested = writeTree({
      ...{ "a/images/0.png": await picture(), "a/images/1.png": await picture() },
      ...{ "b/images/0.png": await picture(), "b/images/1.png": await picture() },
    });
    expect((await open(nested, { size: 8 })).classes).toEqual(["a", "b"]);
  });
});

describe("names are bytes", () => {
  const bytes = (...parts: (string | number)[]) =>
    Buffer.concat(
      parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.of(part))),
    );

  test.skipIf(process.platform !== "linux")("classes and files in Latin-1", async () => {
    const folder = temporaryFolder();
    const within = (...parts: (string | number)[]) => bytes(`${folder}/`, ...parts);
    mkdirSync(within("Caf", 0xe9));
    mkdirSync(within("Tee"));
    for (let i = 0; i < 3; i++) {
      writeFileSync(within("Caf", 0xe9, `/gr`, 0xfc, `n ${i}.png`), await picture());
      writeFileSync(within(`Tee/${i}.png`), await picture());
    }
    writeFileSync(within("Tee/kaputt ", 0xff, ".jpg"), "no picture");
    const { record } = await open(folder, { size: 8 });
    expect(record.classes.map(({ name, count }) => [name, count])).toEqual([
      ["Caf\\xe9", 3],
      ["Tee", 3],
    ]);
    expect(record.broken.map(({ file }) => file)).toEqual(["Tee/kaputt \\xff.jpg"]);
    expect(legibleName(nameOfBytes(bytes("Caf", 0xe9)))).toBe("Caf\\xe9");
  });

  test("one class in two Unicode forms is one across parts, and refused within one", async () => {
    const [nfc, nfd] = ["Café".normalize("NFC"), "Café".normalize("NFD")];
    const tree = async (...classes: string[]) =>
      Object.fromEntries(
        await Promise.all(
          classes.flatMap((name) => [0, 1].map(async (i) => [`${name}/${i}.png`, await picture()])),
        ),
      );
    const across = writeTree(await tree(`train/${nfc}`, "train/tulip", `val/${nfd}`, "val/tulip"));
    const { record } = await open(across, { size: 8 });
    expect(record.classes[0]).toEqual({ name: nfc, count: 4, train: 2, validation: 2 });
    await expect(open(writeTree(await tree(nfc, nfd, "tulip")))).rejects.toThrow(
      /two class folders are named "Café", in different Unicode forms \(43 61 66 65 cc 81; 43 61 66 c3 a9\)/u,
    );
  });
});

describe("files that are the same bytes", () => {
  test("are named: across the split, and in two classes", async () => {
    const [a, b, c] = [await picture(), await picture(), await picture()];
    const folder = writeTree({
      ...{ "train/rose/a.png": a, "train/rose/again.png": a, "val/rose/a.png": a },
      ...{ "train/rose/b.png": b, "train/tulip/b.png": b },
      ...{ "train/tulip/c.png": c, "train/tulip/d.png": await picture() },
      ...{ "val/tulip/0.png": await picture(), "val/rose/0.png": await picture() },
    });
    const kept = await open(folder, { size: 8 });
    expect(kept.record.copies).toEqual({
      ...{ files: 3, acrossParts: 1, inTwoClasses: 1 },
      groups: [
        { files: ["train/rose/b.png", "train/tulip/b.png"], count: 2 },
        { files: ["train/rose/a.png", "train/rose/again.png", "val/rose/a.png"], count: 3 },
      ],
    });
    await expect(open(folder, { size: 8, copies: "leave-out" })).rejects.toThrow(
      /class "rose" has no usable image to train on/,
    );
    writeTree({ "train/rose/own.png": await picture() }, folder);
    const without = await open(folder, { size: 8, copies: "leave-out" });
    expect(without.record).toMatchObject({ images: 6, copiesLeftOut: 4 });
    expect(without.record.copies).toBeUndefined();
    expect(without.record.fingerprint).not.toBe(
      (await open(folder, { size: 8 })).record.fingerprint,
    );
    // What is left is what it was: a.png of the validation part stays, as the part is given.
    expect(without.record.classes).toEqual([
      { name: "rose", count: 3, train: 1, validation: 2 },
      { name: "tulip", count: 3, train: 2, validation: 1 },
    ]);
  });

  test("there are none where each is once", async () => {
    const { record } = await open(await parts("train", "val"), { size: 8 });
    expect(record).not.toHaveProperty("copies");
  });
});
