import { scaleUtc } from "d3-scale";
import { area } from "d3-shape";

import { h, s } from "./dom.js";
import { chance, clock, EMOTIONS, percent } from "./words.js";

const WIDTH = 1000;
const HEIGHT = 100;
const MAX_STEPS = 1000; // more steps than pixels slow the page down and show nothing more

/** Draw a bar for a share. The number stands beside it, so the bar itself says nothing to a screen reader. */
export function bar(percentage, emotion) {
  const svg = s("svg", {
    class: `bar ${emotion}`,
    viewBox: "0 0 100 1",
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  });
  svg.append(
    s("rect", { class: "track", width: 100, height: 1 }),
    s("rect", { class: "fill", width: percentage, height: 1 }),
  );
  return svg;
}

/**
 * Draw the probabilities of each frame's largest face over time: one row for each emotion, and one for eye contact.
 *
 * Each step is a frame, which lasts until the next one. A frame without a face leaves a gap in all emotions.
 *
 * @param {HTMLElement} slider selects a frame; it has its place under the chart
 * @returns {{element: HTMLElement, gaps: boolean, unseen: boolean, show: (index: number) => void, at: (event: PointerEvent) => number, draw: (frames: object[]) => void}}
 *   `show` moves the cursor to a frame; `at` is the time under the pointer, in milliseconds; `draw` draws the emotions
 *   of other frames of the same times.
 */
export function timelineChart(result, slider) {
  const steps = stepsOf(result.timeline);
  const [start, end] = span(result, steps);
  const x = scaleUtc([start, end], [0, WIDTH]);
  const means = result.mean_emotion_probabilities;
  const rows = [
    ...EMOTIONS.map((emotion) =>
      row(
        emotion,
        chance(means[emotion]),
        stepPath(steps, x, (step) => step.means?.[emotion]),
        true,
      ),
    ),
    row(
      "eye contact",
      percent(result.eye_contact_score),
      stepPath(steps, x, (step) => step.contact),
      false,
    ),
  ];
  const gaps = steps.filter((step) => !step.means);
  const unseen = result.analyzed_until_ms == null ? [] : [{ from: result.analyzed_until_ms, to: end }];
  for (const { svg, hasGaps } of rows) {
    svg.prepend(
      ...(hasGaps ? gaps : []).map((gap) => box("gap", gap, x)),
      ...unseen.map((part) => box("unseen", part, x)),
    );
  }
  const cursor = h("div", { class: "cursor" });
  const plot = h("div", { class: "plot-area" }, cursor);
  const covered = [...rows.flatMap(({ cells }) => cells), ticks(x), plot];
  for (const part of covered) part.setAttribute("aria-hidden", "true"); // the slider and the table say the same
  rows.forEach(({ cells }, index) => cells.forEach((cell) => (cell.style.gridRow = index + 1))); // `plot` covers the same cells
  const middle = (index) =>
    (result.timeline[index].time_ms + (result.timeline[index + 1]?.time_ms ?? steps.at(-1).to)) / 2;
  const place = (index) => Math.min(100, x(middle(index)) / (WIDTH / 100));
  const [first, last] = [place(0), place(result.timeline.length - 1)];
  // The thumb stands below the cursor where frames have equal distances, and reaches no part that was not analyzed.
  slider.style.marginLeft = `calc(${first}% - var(--thumb) / 2)`;
  slider.style.width = `calc(${last - first}% + var(--thumb))`;
  return {
    element: h("div", { class: "timeline" }, covered, slider),
    gaps: gaps.length > 0,
    unseen: unseen.length > 0,
    draw: (frames) => {
      const drawn = stepsOf(frames);
      EMOTIONS.forEach((emotion, place) => {
        const path = rows[place].svg.querySelector("path");
        path.setAttribute("d", stepPath(drawn, x, (step) => step.means?.[emotion]) ?? "");
      });
    },
    show: (index) => (cursor.style.left = `${place(index)}%`),
    at: (event) => {
      const { left, width } = plot.getBoundingClientRect();
      return +x.invert(((event.clientX - left) / width) * WIDTH);
    },
  };
}

function row(name, value, path, hasGaps) {
  const svg = s(
    "svg",
    { class: name.replace(" ", "-"), viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none" },
    s("path", { d: path ?? "" }),
  );
  return { svg, hasGaps, cells: [h("span", { class: "name" }, name), svg, h("span", { class: "value" }, value)] };
}

function stepPath(steps, x, valueOf) {
  const points = steps.flatMap((step) => [step.from, step.to].map((time) => ({ time, value: valueOf(step) })));
  return area()
    .defined(({ value }) => value != null)
    .x(({ time }) => Math.round(x(time) * 100) / 100)
    .y0(HEIGHT)
    .y1(({ value }) => Math.round((1 - value) * HEIGHT * 100) / 100)(points);
}

function box(kind, { from, to }, x) {
  return s("rect", { class: kind, x: x(from), width: Math.max(0, x(to) - x(from)), height: HEIGHT });
}

function ticks(x) {
  const marks = x.ticks(5).map((time) => {
    const mark = h("span", {}, clock(+time, x.domain()[1] - x.domain()[0] < 5000 ? 1 : 0));
    mark.style.left = `${x(time) / (WIDTH / 100)}%`;
    return mark;
  });
  return h("div", { class: "ticks" }, marks);
}

/** The part of the video that the chart covers, in milliseconds. */
function span({ settings, video }, steps) {
  const start = settings.start_ms ?? 0;
  const end = Math.min(settings.end_ms ?? Infinity, video.duration_ms);
  return [Math.min(start, steps[0].from), Math.max(end, steps.at(-1).from + 1)];
}

/** Frames as steps: a time span, the mean probabilities of its faces (null: no face), and the share of eye contact. */
function stepsOf(frames) {
  const size = Math.ceil(frames.length / MAX_STEPS);
  const usual = frames.length > 1 ? (frames.at(-1).time_ms - frames[0].time_ms) / (frames.length - 1) : 1000;
  const steps = [];
  for (let first = 0; first < frames.length; first += size) {
    const group = frames.slice(first, first + size);
    const faces = group.map((frame) => frame.faces[0]).filter(Boolean);
    steps.push({
      from: group[0].time_ms,
      to: frames[first + size]?.time_ms ?? group.at(-1).time_ms + usual,
      means: faces.length
        ? Object.fromEntries(EMOTIONS.map((name) => [name, mean(faces.map((face) => face.probabilities[name]))]))
        : null,
      contact: mean(group.map((frame) => Number(frame.eye_contact))),
    });
  }
  return steps;
}

/** Frames whose largest faces have the mean probabilities of neighboring frames: `count` of them, itself in the middle. */
export function averaged(frames, count) {
  const reach = (count - 1) / 2;
  return frames.map((frame, place) => {
    if (!frame.faces.length) return frame;
    const near = frames.slice(Math.max(0, place - reach), place + reach + 1);
    const faces = near.map(({ faces: [face] }) => face).filter(Boolean);
    const means = EMOTIONS.map((name) => [name, mean(faces.map((face) => face.probabilities[name]))]);
    return { ...frame, faces: [{ ...frame.faces[0], probabilities: Object.fromEntries(means) }] };
  });
}

const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
