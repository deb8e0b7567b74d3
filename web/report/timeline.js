import { averaged, timelineChart } from "./charts.js";
import { h, section } from "./dom.js";
import { pictures } from "./pictures.js";
import { chance, clock, count, EMOTIONS, frameWords, picturesWords } from "./words.js";

const MAX_TABLE_ROWS = 2000;
const AVERAGED = 5; // frames of the moving average

/** Draw what a timeline adds to the report: the chart, its text alternative, and pictures if the video is at hand. */
export function timelineSections(result, video) {
  const frames = result.timeline;
  const words = h("output", { for: "frame" }, "");
  const slider = h("input", {
    id: "frame",
    type: "range",
    min: 0,
    max: frames.length - 1,
    step: 1,
    "aria-label": "Frame",
  });
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
  chart.element.addEventListener(
    "pointermove",
    (event) => (event.pointerType === "mouse" || event.buttons) && choose(nearest(frames, chart.at(event))),
  );
  choose(
    Math.max(
      0,
      frames.findIndex((frame) => frame.faces.length > 0),
    ),
  );
  return [
    section(
      "Timeline",
      h(
        "p",
        {},
        "Probability of each emotion in each analyzed frame, from 0 to 100 %, of the largest face. The numbers are the means.",
        chart.gaps && [" ", h("span", { class: "gap-key" }), " marks frames without a face."],
        chart.unseen && [" ", h("span", { class: "unseen-key" }), " marks the part that was not analyzed."],
      ),
      chart.element,
      h("p", { class: "inspector" }, words),
      frames.length > AVERAGED && averages(frames, chart),
      tableOf(frames),
    ),
    ...(shown
      ? [
          section(
            "Pictures",
            h("p", {}, picturesWords(result)),
            shown.element,
          ),
        ]
      : []),
  ];
}

/** A box that draws moving averages instead of the raw probabilities. All numbers stay raw. */
function averages(frames, chart) {
  const draw = ({ target }) => chart.draw(target.checked ? averaged(frames, AVERAGED) : frames);
  const box = h("input", { type: "checkbox", onchange: draw });
  return h(
    "label",
    {},
    box,
    ` Draw the moving average of ${AVERAGED} frames. It mixes people where the largest face changes. The table has the numbers of single frames.`,
  );
}

/** The timeline's text alternative. Its rows are made when it opens. */
function tableOf(frames) {
  const table = h("table", {});
  const heads = ["Time", "Faces", "Strongest", ...EMOTIONS, "Eye contact"];
  const rest = frames.length - MAX_TABLE_ROWS;
  const details = h(
    "details",
    { class: "data" },
    h("summary", {}, `Timeline as a table (${count(frames.length, "frame")})`),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Timeline as a table" }, table),
    rest > 0 && h("p", {}, `The JSON has ${count(rest, "more frame")}.`),
  );
  details.addEventListener("toggle", () => {
    if (table.hasChildNodes()) return;
    table.append(
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
        frames.slice(0, MAX_TABLE_ROWS).map(({ time_ms, faces, eye_contact }) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, clock(time_ms, 2)),
            h("td", {}, String(faces.filter((face) => face.detected).length)),
            h("td", {}, faces[0]?.dominant_emotion ?? "–"),
            EMOTIONS.map((emotion) =>
              h("td", { class: "number" }, faces[0] ? chance(faces[0].probabilities[emotion]) : "–"),
            ),
            h("td", {}, eye_contact ? "yes" : "no"),
          ),
        ),
      ),
    );
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
