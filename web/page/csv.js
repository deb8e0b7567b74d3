/** The timeline as a table, as the service writes it with `format=csv` (`rendering.py`). A test compares the two. */
import { EMOTIONS } from "../report/words.js";

const POINTS = ["right_eye", "left_eye", "nose", "right_mouth", "left_mouth"];
const FRAME = ["frame_index", "time_ms", "eye_contact"];
const FACE = [
  ...["face", "detected", "x", "y", "width", "height", "dominant_emotion"],
  ...EMOTIONS,
  "detection_score",
  ...POINTS.flatMap((name) => [`${name}_x`, `${name}_y`]),
  "track",
];

/** One row for each face of each frame. A frame without a face has a row with empty face columns. */
export function csv({ timeline }) {
  const rows = timeline.flatMap(({ index, time_ms, eye_contact, faces }) => {
    const start = [index, time_ms, logical(eye_contact)];
    if (!faces.length) return [[...start, ...FACE.map(() => "")]];
    return faces.map((face, place) => [...start, place + 1, ...cells(face)]);
  });
  return [[...FRAME, ...FACE], ...rows].map((row) => `${row.join(",")}\r\n`).join("");
}

function logical(value) {
  return value ? "TRUE" : "FALSE";
}

function cells({ detected, box, dominant_emotion, probabilities, detection_score, landmarks, track }) {
  return [
    ...[logical(detected), box.x, box.y, box.width, box.height, dominant_emotion],
    ...EMOTIONS.map((name) => probabilities[name]),
    detection_score,
    ...POINTS.flatMap((name) => [landmarks?.[name].x, landmarks?.[name].y]),
    track,
  ];
}
