/** `make web`: bundle the report and the page into two files that stand alone. `node build.mjs FOLDER` writes elsewhere. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build, transform } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const root = process.argv[2] ?? dirname(here);
const read = (path) => readFileSync(join(here, path), "utf8");

/** Bundle a module and what it imports, behind the licenses of the packages in it. */
async function bundle(entry, options = {}) {
  const made = await build({
    ...{ entryPoints: [join(here, entry)], bundle: true, minify: true, write: false, metafile: true },
    ...{ charset: "utf8", format: "iife", target: "es2022", legalComments: "none", absWorkingDir: here },
    ...options,
  });
  const packages = new Set(
    Object.keys(made.metafile.inputs)
      .map((path) => path.match(/node_modules\/[^/]+/)?.[0])
      .filter(Boolean),
  );
  const licenses = new Set([...packages].sort().map((folder) => read(`${folder}/LICENSE`).trim()));
  const notice = licenses.size ? `/*!\nParts are of D3.\n\n${[...licenses].join("\n\n")}\n*/\n` : "";
  return notice + made.outputFiles[0].text.trim();
}

const style = async (path) => (await transform(read(path), { loader: "css", minify: true })).code.trim();
const source = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

function fill(template, parts) {
  return template.replace(/\{\{(\w+)\}\}/g, (place, name) => parts[name] ?? place);
}

function write(path, text, places) {
  const found = text.match(/\{\{\w+\}\}/g) ?? [];
  if (found.join() !== places.join()) throw new Error(`${path} has the places ${found.join()}`);
  if (text.includes("<!--")) throw new Error(`${path}: "<!--" changes how a browser reads scripts`);
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.log(`${path}: ${Math.round(text.length / 1000)} kB`);
}

const report = {
  style: await style("report/report.css"),
  script: await bundle("report/embedded.js", { globalName: "videoReport" }),
};
const policy = `default-src 'none'; script-src ${source(report.script)}; style-src ${source(report.style)}; img-src data:; media-src blob:; base-uri 'none'; form-action 'none'`;
const skeleton = fill(read("report/skeleton.html"), { policy });
write("web/video_report/report.html", fill(skeleton, report), ["{{title}}", "{{result}}", "{{video}}"]);

const page = {
  style: await style("page/page.css"),
  script: await bundle("page/page.js", { define: { SKELETON: JSON.stringify(skeleton) } }),
};
const parts = { style: report.style, script: report.script, page_style: page.style, page_script: page.script };
write("functions/jobs/video_jobs/page.html", fill(read("page/page.html"), parts), [
  "{{title}}",
  "{{style}}",
  "{{result}}",
  "{{video}}",
  "{{script}}",
]);
