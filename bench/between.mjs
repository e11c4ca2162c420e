// Parts of documents that are computed: what stands between `<!-- name -->` and
// `<!-- /name -->` in a file of Markdown.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../scripts/steps.mjs";

const marks = (name) => [`<!-- ${name} -->\n\n`, `\n\n<!-- /${name} -->`];

/** Where a part of this name begins and ends in a text. */
function place(file, text, name) {
  const [head, tail] = marks(name);
  const begin = text.indexOf(head);
  const end = text.indexOf(tail, begin);
  if (begin < 0 || end < 0) throw new Error(`${file} has no part ${head.trim()}`);
  return [begin + head.length, end];
}

/** What stands in a part. */
export function readPart(file, name) {
  const text = readFileSync(join(ROOT, file), "utf8");
  return text.slice(...place(file, text, name));
}

/** Puts this in the place of what stands there. */
export function writePart(file, name, part) {
  const text = readFileSync(join(ROOT, file), "utf8");
  const [begin, end] = place(file, text, name);
  writeFileSync(join(ROOT, file), text.slice(0, begin) + part + text.slice(end));
}
