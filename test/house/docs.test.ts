import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "./rooms.ts";

const pages = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];

/** Targets of links and pictures, Markdown's and HTML's, outside code. */
function targetsOf(markdown: string): string[] {
  const prose = markdown.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`\n]*`/g, "");
  const links = prose.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g);
  const attributes = prose.matchAll(/\b(?:href|src|srcset)="([^"]+)"/g);
  return [...links, ...attributes].map((match) => match[1]!);
}

/** GitHub's anchor of a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/`/g, "")
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

const anchorsOf = (markdown: string) =>
  [...markdown.replace(/^```[\s\S]*?^```/gm, "").matchAll(/^#+ +(.+?) *$/gm)].map((match) =>
    anchorOf(match[1]!),
  );

function brokenLinks(page: string, markdown: string): string[] {
  return targetsOf(markdown).filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [path, anchor] = decodeURI(target).split("#") as [string, string?];
    const file = path === "" ? page : join(dirname(page), path);
    if (!existsSync(join(root, file))) return true;
    return (
      anchor !== undefined &&
      file.endsWith(".md") &&
      !anchorsOf(readFileSync(join(root, file), "utf8")).includes(anchor)
    );
  });
}

describe("documentation", () => {
  test.each(pages)("links of %s lead somewhere", (page) => {
    expect(brokenLinks(page, readFileSync(join(root, page), "utf8"))).toEqual([]);
  });

  test("a broken link, picture and anchor are found; code and addresses are left alone", () => {
    const page =
      '[a](nowhere.md) ![b](no.png) <img src="none.svg"> [c](README.md#no-such) `[d](x)` [e](https://x.org)';
    expect(brokenLinks("README.md", page)).toEqual([
      "nowhere.md",
      "no.png",
      "README.md#no-such",
      "none.svg",
    ]);
  });

  test("every decision is listed in the decisions' index", () => {
    const folder = join(root, "docs", "decisions");
    const index = readFileSync(join(folder, "README.md"), "utf8");
    const records = readdirSync(folder).filter((name) => /^\d{4}-.*\.md$/.test(name));
    expect(records.length).toBeGreaterThan(0);
    for (const name of records) expect(index).toContain(`(${name})`);
  });
});
