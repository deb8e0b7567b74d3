/** The page at GET /app: choose or record a video, watch its analysis, look at the report. It stores nothing. */
import { record } from "./camera.js";
import { csv } from "./csv.js";
import { Problem } from "./requests.js";
import { analyze } from "./service.js";

const part = (id) => document.getElementById(id);
const PARTS = ["ask", "camera", "work", "problem", "done"];

let running = new AbortController();
let last; // the video of the latest try
let result;

function show(...names) {
  for (const name of PARTS) part(name).hidden = !names.includes(name);
}

function tell(phase, done) {
  part("phase").textContent = done === undefined ? `${phase} …` : `${phase}: ${Math.floor(100 * done)} %`;
  if (done === undefined) part("progress").removeAttribute("value");
  else part("progress").value = done;
}

function options() {
  const chosen = new URLSearchParams(part("sampling").value);
  if (part("detector").value) chosen.set("detector", part("detector").value);
  return Object.fromEntries(chosen);
}

async function start(video) {
  last = video;
  part("file").value = ""; // so that choosing the same file again is a change
  running = new AbortController();
  const { signal } = running;
  show("work");
  tell("Reading the video");
  part("cancel").focus();
  try {
    result = await analyze(video, { key: part("key").value.trim(), options: options(), tell, signal });
    report(video);
  } catch (error) {
    if (!signal.aborted) explain(error);
  }
}

function report(video) {
  show("done");
  videoReport.renderReport(part("report"), result, { title: video.name, video });
  part("report").focus();
}

function explain(error) {
  const problem =
    error instanceof Problem
      ? error
      : new Problem({
          title: "The page failed",
          detail: "Reload the page and try again. The browser's console has the reason.",
        });
  if (problem !== error) console.error(error);
  show("ask", "problem");
  part("problem-title").textContent = problem.title;
  part("problem-detail").textContent = problem.detail;
  part("problem-id").textContent = problem.requestId ? `Request ${problem.requestId}` : "";
  part("again").hidden = !problem.again || !last;
  (problem.status === 403 ? part("key") : part("again").hidden ? part("file") : part("again")).focus();
}

async function recordAndStart() {
  const [stop, discard] = [new AbortController(), new AbortController()];
  part("stop").onclick = () => stop.abort();
  part("discard").onclick = () => discard.abort();
  part("countdown").textContent = "The browser asks you for the camera.";
  show("camera");
  part("stop").focus();
  last = undefined;
  try {
    const left = (seconds) => (part("countdown").textContent = `Recording: ${seconds} s left. There is no sound.`);
    const video = await record(part("preview"), { left, stop: stop.signal, discard: discard.signal });
    if (video) await start(video);
    else reset();
  } catch (error) {
    explain(error);
  }
}

function reset() {
  running.abort();
  show("ask");
  part("file").focus();
}

function save(text, type, ending) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = `${last.name.replace(/\.[^.]+$/, "")}.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** The report as one file, as `video_report.html` makes it. It holds no picture of the video. */
function selfContained() {
  const escaped = (text) => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
  const parts = {
    title: escaped(last.name),
    style: part("report-style").textContent,
    script: part("report-script").textContent,
    result: JSON.stringify(result).replaceAll("<", "\\u003c"),
    video: "",
  };
  return SKELETON.replace(/\{\{(\w+)\}\}/g, (_, name) => parts[name]);
}

function listen() {
  const drop = part("drop");
  part("ask").addEventListener("submit", (event) => event.preventDefault());
  part("file").addEventListener("change", ({ target }) => target.files[0] && start(target.files[0]));
  part("record").addEventListener("click", recordAndStart);
  part("cancel").addEventListener("click", reset);
  part("another").addEventListener("click", reset);
  part("again").addEventListener("click", () => start(last));
  part("json").addEventListener("click", () => save(JSON.stringify(result, null, 2), "application/json", "json"));
  part("csv").addEventListener("click", () => save(csv(result), "text/csv", "csv"));
  part("html").addEventListener("click", () => save(selfContained(), "text/html", "html"));
  part("print").addEventListener("click", () => print());
  for (const name of ["dragover", "dragleave", "drop"]) {
    // On the whole document: a file that misses the field must not replace the page.
    document.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragover" && !part("ask").hidden);
      const files = name === "drop" && !part("ask").hidden ? event.dataTransfer.files : [];
      if (files.length > 1) explain(new Problem({ title: "Too many files", detail: "Drop one video at a time." }));
      else if (files.length) start(files[0]);
    });
  }
}

listen();
