import { bar } from "./charts.js";
import { h, section } from "./dom.js";
import { timelineSections } from "./timeline.js";
import {
  chance,
  count,
  denominators,
  EMOTIONS,
  facts,
  interval,
  MEANING,
  percent,
  personCells,
  sharesWords,
  votes,
  warnings,
} from "./words.js";

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
    ...(result.people?.length ? [section("People", people(result))] : []),
    ...(result.timeline?.length ? timelineSections(result, video) : []),
    section(
      "How this was measured",
      h(
        "dl",
        {},
        facts(result).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
      ),
    ),
    section(
      "What these scores mean",
      h(
        "ul",
        { class: "meaning" },
        MEANING.map((text) => h("li", {}, text)),
      ),
    ),
  );
}

function notes({ advice, ...result }) {
  const list = (kind, heading, texts) =>
    texts.length > 0 &&
    h(
      "aside",
      { class: kind, "aria-label": heading },
      h("strong", {}, heading),
      h(
        "ul",
        {},
        texts.map((text) => h("li", {}, text)),
      ),
    );
  return [
    list("warning", "What is missing", warnings(result)),
    list("advice", "For a better answer", advice ?? []),
  ].filter(Boolean);
}

function figures(result) {
  const dominant = result.overall_dominant_emotion;
  const frames = result.total_frames_analyzed;
  const sure = result.eye_contact_score_interval;
  const figure = (name, value, small) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, h("b", {}, value), h("span", {}, small)));
  return h(
    "dl",
    { class: "figures" },
    figure(
      "Most frequent emotion",
      dominant ?? "none",
      dominant
        ? `${percent(result.average_emotion_scores[dominant])} of ${votes(result)}`
        : "no frame has a vote",
    ),
    figure("Mean probability", dominant ? chance(result.average_confidence_score) : "–", "of each vote's emotion"),
    figure(
      "Eye contact",
      percent(result.eye_contact_score),
      `of ${count(frames, "frame")}${sure ? `, 95 % interval ${interval(sure)}` : ""}`,
    ),
    figure("Faces found in", `${result.frames_with_face} of ${frames}`, "analyzed frames"),
  );
}

function shares(result) {
  const intervals = result.average_emotion_scores_interval;
  const heads = ["Emotion", "Share of the votes", "", ...(intervals ? ["95 % interval"] : []), "Mean probability"];
  return [
    h("p", {}, sharesWords(result)),
    h(
      "table",
      { class: "shares" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads.map((head) => (head ? h("th", { scope: "col" }, head) : h("td", {}))),
        ),
      ),
      h(
        "tbody",
        {},
        EMOTIONS.map((emotion) => {
          const share = result.average_emotion_scores[emotion];
          return h(
            "tr",
            {},
            h("th", { scope: "row" }, emotion),
            h("td", { class: "number" }, percent(share, 1)),
            h("td", {}, bar(share, emotion)),
            intervals && h("td", { class: "number" }, interval(intervals[emotion])),
            h("td", { class: "number" }, percent(100 * result.mean_emotion_probabilities[emotion], 1)),
          );
        }),
      ),
    ),
  ];
}

/** A row for each track. */
function people({ people: listed, people_left_out: rest }) {
  const heads = ["Person", "Time", "Frames", "Most frequent emotion", "Eye contact"];
  return [
    h(
      "p",
      {},
      "A person is a track: faces of neighboring frames that are linked by place and motion. No face is recognized, so somebody who leaves and returns is a new person.",
    ),
    h(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": "People" },
      h(
        "table",
        { class: "people" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            heads.map((head) => h("th", { scope: "col" }, head)),
          ),
        ),
        h(
          "tbody",
          {},
          listed.map((person) => {
            const [name, ...cells] = personCells(person);
            return h(
              "tr",
              {},
              h("th", { scope: "row" }, name),
              cells.map((cell) => h("td", { class: "number" }, cell)),
            );
          }),
        ),
      ),
    ),
    rest > 0 && h("p", {}, `${count(rest, "more person", "more people")} are left out. None of them is in more frames than these.`),
  ];
}
