import { bar, timelineChart } from "./charts.js";
import { h } from "./dom.js";
import { pictures } from "./pictures.js";
import { chance, clock, count, denominators, EMOTIONS, facts, frameWords, MEANING, percent, voters, warnings } from "./words.js";

const MAX_TABLE_ROWS = 2000;

/**
 * Draw a Result. This is the only renderer: the page at GET /app and the self-contained report both call it.
 *
 * @param {HTMLElement} element gets the report as its content
 * @param {object} result a Result, as the service returns it; with a timeline the report draws it
 * @param {{title?: string, video?: Blob}} options `video`: the analyzed file, to show its pictures
 */
export function renderReport(element, result, { title = "Video", video } = {}) {
  element.classList.add("video-report");
  element.replaceChildren(
    h("header", {}, h("h1", {}, title), h("p", { class: "lead" }, denominators(result).join(" "))),
    ...notes(result),
    figures(result),
    section("Shares", shares(result)),
    ...(result.timeline?.length ? timelineSections(result, video) : []),
    section("How this was measured", h("dl", {}, facts(result).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]))),
    section("What these scores mean", h("ul", { class: "meaning" }, MEANING.map((text) => h("li", {}, text)))),
  );
}

function section(heading, ...content) {
  return h("section", {}, h("h2", {}, heading), content);
}

function notes({ advice, ...result }) {
  const list = (kind, heading, texts) => texts.length > 0 && h("aside", { class: kind, "aria-label": heading }, h("strong", {}, heading), h("ul", {}, texts.map((text) => h("li", {}, text))));
  return [list("warning", "What is missing", warnings(result)), list("advice", "For a better answer", advice ?? [])].filter(Boolean);
}

function figures(result) {
  const dominant = result.overall_dominant_emotion;
  const frames = result.total_frames_analyzed;
  const figure = (name, value, small) => h("div", {}, h("dt", {}, name), h("dd", {}, h("b", {}, value), h("span", {}, small)));
  return h("dl", { class: "figures" },
    figure("Most frequent emotion", dominant ?? "none", dominant ? `${percent(result.average_emotion_scores[dominant])} of ${count(voters(result), "vote")}` : "no frame has a vote"),
    figure("Mean probability", dominant ? chance(result.average_confidence_score) : "–", "of each vote's emotion"),
    figure("Eye contact", percent(result.eye_contact_score), `of ${count(frames, "frame")}`),
    figure("Faces found in", `${result.frames_with_face} of ${frames}`, "analyzed frames"),
  );
}

function shares(result) {
  const heads = ["Emotion", "Share of the votes", "", "Mean probability"];
  return [
    h("p", {}, `Percent of ${count(voters(result), "vote")} by each frame's strongest emotion, and the mean probability over the same frames.`),
    h("table", { class: "shares" },
      h("thead", {}, h("tr", {}, heads.map((head) => (head ? h("th", { scope: "col" }, head) : h("td", {}))))),
      h("tbody", {}, EMOTIONS.map((emotion) => {
        const share = result.average_emotion_scores[emotion];
        return h("tr", {}, h("th", { scope: "row" }, emotion), h("td", { class: "number" }, percent(share, 1)), h("td", {}, bar(share, emotion)), h("td", { class: "number" }, percent(100 * result.mean_emotion_probabilities[emotion], 1)));
      }))),
  ];
}

function timelineSections(result, video) {
  const frames = result.timeline;
  const words = h("output", { for: "frame" }, "");
  const slider = h("input", { id: "frame", type: "range", min: 0, max: frames.length - 1, step: 1, "aria-label": "Frame" });
  const chart = timelineChart(result, slider);
  const shown = video && pictures(result, video, (index) => choose(index));
  const choose = (index) => {
    slider.value = index;
    chart.show(index);
    words.textContent = frameWords(frames[index]);
    slider.setAttribute("aria-valuetext", words.textContent);
    shown?.show(index);
  };
  slider.addEventListener("input", () => choose(Number(slider.value)));
  chart.element.addEventListener("pointerdown", (event) => choose(nearest(frames, chart.at(event))));
  chart.element.addEventListener("pointermove", (event) => (event.pointerType === "mouse" || event.buttons) && choose(nearest(frames, chart.at(event))));
  choose(Math.max(0, frames.findIndex((frame) => frame.faces.length > 0)));
  return [
    section("Timeline",
      h("p", {}, "Probability of each emotion in each analyzed frame, from 0 to 100 %, of the largest face. The numbers are the means.", chart.gaps && [" ", h("span", { class: "gap-key" }), " marks frames without a face."]),
      chart.element,
      h("p", { class: "inspector" }, words),
      tableOf(frames)),
    ...(shown ? [section("Pictures", h("p", {}, "White boxes show the faces that the detector found. The box with the thick line votes."), shown.element)] : []),
  ];
}

/** The timeline's text alternative. Its rows are made when it opens. */
function tableOf(frames) {
  const table = h("table", {});
  const heads = ["Time", "Faces", "Strongest", ...EMOTIONS, "Eye contact"];
  const rest = frames.length - MAX_TABLE_ROWS;
  const details = h("details", { class: "data" }, h("summary", {}, `Timeline as a table (${count(frames.length, "frame")})`), h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Timeline as a table" }, table), rest > 0 && h("p", {}, `The JSON has ${count(rest, "more frame")}.`));
  details.addEventListener("toggle", () => {
    if (table.hasChildNodes()) return;
    table.append(
      h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", {}, frames.slice(0, MAX_TABLE_ROWS).map(({ time_ms, faces, eye_contact }) => h("tr", {},
        h("th", { scope: "row" }, clock(time_ms, true)),
        h("td", {}, String(faces.filter((face) => face.detected).length)),
        h("td", {}, faces[0]?.dominant_emotion ?? "–"),
        EMOTIONS.map((emotion) => h("td", { class: "number" }, faces[0] ? chance(faces[0].probabilities[emotion]) : "–")),
        h("td", {}, eye_contact ? "yes" : "no")))));
  });
  return details;
}

function nearest(frames, ms) {
  let [low, high] = [0, frames.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (frames[middle].time_ms <= ms) low = middle;
    else high = middle - 1;
  }
  return low;
}
