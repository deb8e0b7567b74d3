/** The entry point of the bundle. A self-contained report carries its Result, and perhaps its video, in the document. */
import { renderReport } from "./report.js";

export { renderReport };

const result = document.getElementById("result");
if (result) {
  const video = document.getElementById("video").textContent.trim();
  renderReport(document.getElementById("report"), JSON.parse(result.textContent), {
    title: document.title,
    video: video ? new Blob([Uint8Array.from(atob(video), (character) => character.charCodeAt(0))]) : undefined,
  });
}
