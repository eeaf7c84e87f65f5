// A patient's timeline: the counts on a logarithmic scale with the limits of the rules, and beneath them a lane each for
// bleeding, rescue, and every endpoint that rests on observations.

const TICKS = [1, 3, 10, 30, 50, 100, 300, 1000];
const STEPS = [7, 14, 28, 56, 84, 168, 364, 728, 1456, 3640];
const TOP = 14, HEIGHT = 210, LANE = 21, RIGHT = 14, INSET = 8;

// `verdicts` has the label and the hue of each endpoint; `until` is the least last day of the picture.
const timeline = ({ id, endpoints, verdicts, patient, until, width }) => {
  const scene = sceneOf(patient, until, width);
  drawSpoiled(scene, patient.spoiled);
  drawScale(scene, patient.limits);
  drawStopped(scene, patient.stopped);
  drawBaselineLimits(scene, patient);
  drawCounts(scene, patient);
  drawDays(scene);
  let at = scene.bottom + 26;
  const lane = (name, verdict = "") => {
    drawLane(scene, at, name, verdict);
    at += LANE;
    return at - LANE;
  };
  drawBleeding(scene, lane("bleeding"), patient);
  if (patient.rescue.length) drawRescue(scene, lane("rescue"), patient.rescue);
  endpoints.forEach((endpoint, index) => {
    if (!endpoint.has_lane) return;
    const { label, hue } = verdicts[index];
    const title = `${endpoint.name}: ${patient.explained[index][0]}`;
    const [onset, ...marks] = patient.marks[index];
    const begin = endpoint.is_loss ? null : onset; // a loss has the onset of the response that was lost
    drawVerdict(scene, lane(endpoint.name, ` ${label}`), { label, hue, title, marks: [begin, ...marks] });
  });
  const height = at + 6;
  const label = `Platelet counts of ${id} from day ${scene.first} to day ${scene.last}. The text below explains the results.`;
  return draw("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label }, scene.parts);
};

// The positions of days and counts in the picture, and the parts drawn so far.
const sceneOf = (patient, until, width) => {
  const ends = patient.count.flatMap((count) => (Array.isArray(count) ? count.slice(0, 2) : [count]));
  const counts = ends.filter((count) => count !== null && count > 0);
  const low = Math.min(4, ...counts) * 0.85;
  const high = Math.max(400, ...counts, ...patient.limits.map((limit) => limit[1])) * 1.15;
  const first = Math.min(0, ...patient.day), last = Math.max(until ?? 0, first + 28, ...patient.day);
  const left = width < 560 ? 92 : 112, right = width - RIGHT;
  const within = (day) => Math.min(Math.max(day, first), last);
  const x = (day) => left + INSET + ((within(day) - first) / (last - first)) * (right - left - INSET);
  const y = (count) => TOP + (1 - Math.log(Math.max(count, low) / low) / Math.log(high / low)) * HEIGHT;
  const parts = [];
  const scene = { first, last, low, high, left, right, width, bottom: TOP + HEIGHT, x, y, parts };
  scene.put = (name, attributes, title = "") =>
    parts.push(draw(name, attributes, title ? draw("title", {}, title) : null));
  scene.say = (text, x, y, kind, anchor = "start", title = "") =>
    parts.push(draw("text", { x, y, class: kind, "text-anchor": anchor }, text, title ? draw("title", {}, title) : null));
  return scene;
};

// A limit is [low, high, in words]; the words of a limit that all patients share are its number.
const isPlain = ([, , text]) => /^[\d.]+$/.test(text);

const drawScale = (scene, limits) => {
  const { left, right, y } = scene;
  const plain = limits.filter(isPlain).map(([, high]) => high);
  const line = (kind, at, title) => scene.put("line", { class: kind, x1: left, x2: right, y1: at, y2: at }, title);
  const ticks = TICKS.filter((count) => count >= scene.low && count <= scene.high && !plain.includes(count));
  ticks.forEach((count) => {
    line("grid", y(count));
    if (plain.every((limit) => Math.abs(y(limit) - y(count)) >= 11)) scene.say(String(count), left - 7, y(count) + 4, "scale", "end");
  });
  plain.forEach((count) => {
    line("limit", y(count));
    scene.say(String(count), left - 7, y(count) + 4, "scale limit", "end");
  });
  scene.say("×10⁹/L", left - 7, TOP - 3, "scale", "end");
  limits.filter((limit) => !isPlain(limit)).forEach(([, high, text]) => line("fold", y(high), text));
};

// Limits that depend on the baseline have a text beside their lines, where it covers least; counts are drawn above all.
const drawBaselineLimits = ({ left, right, x, y, say }, patient) => {
  const points = pointsOf(patient).map(({ day, count }) => [x(day), y(levelOf(count))]);
  const course = points.flatMap(([across, up], index) => {
    const [nextAcross, nextUp] = points[index + 1] ?? [across, up];
    const steps = Math.max(1, Math.ceil((nextAcross - across) / 4));
    return Array.from({ length: steps }, (_, step) =>
      [across + ((nextAcross - across) * step) / steps, up + ((nextUp - up) * step) / steps]);
  });
  const lines = patient.limits.map(([, high]) => y(high));
  const covered = [];
  patient.limits.filter((limit) => !isPlain(limit)).forEach(([, high, text]) => {
    const wide = text.length * 5.9, at = y(high);
    const starts = [right - wide - 4, left + 4, (left + right - wide) / 2, left + 0.25 * (right - left), right - 1.5 * wide];
    const spots = [at - 4, at + 12].flatMap((base) => starts.map((start) => ({ base, start })));
    const hits = ({ base, start }) => {
      const inside = ([across, up]) => across > start - 5 && across < start + wide + 5 && up > base - 13 && up < base + 5;
      const crossed = lines.filter((line) => line > base - 10 && line < base + 1).length;
      return course.filter(inside).length + 8 * crossed + 50 * covered.filter(inside).length;
    };
    const best = spots.reduce((first, second) => (hits(second) < hits(first) ? second : first));
    for (let across = best.start; across < best.start + wide; across += 8) covered.push([across, best.base - 4]);
    say(text, best.start, best.base, "fold");
  });
};

const drawSpoiled = ({ x, last, put }, spoiled) =>
  spoiled.filter(([begin]) => begin <= last).forEach(([begin, end]) => {
    const title = `day ${begin} to ${end}: not evidence of response, within the rescue wash-out`;
    put("rect", { class: "spoiled", x: x(begin), y: TOP, width: Math.max(x(end + 1) - x(begin), 1), height: HEIGHT }, title);
  });

const drawStopped = ({ x, last, bottom, width, put, say }, stopped) => {
  if (stopped === null || stopped > last) return;
  const at = x(stopped), isLeft = at > width / 2;
  put("line", { class: "stopped", x1: at, x2: at, y1: TOP, y2: bottom });
  say("treatment discontinued", isLeft ? at - 5 : at + 5, TOP + 9, "note", isLeft ? "end" : "start");
};

const pointsOf = ({ day, count, grade }) =>
  day.map((_, row) => ({ day: day[row], count: count[row], grade: grade[row] })).filter((point) => point.count !== null);
// The level of a count; a censored count is drawn at its bound.
const levelOf = (count) => (Array.isArray(count) ? count[1] ?? count[0] : count);

const drawCounts = ({ x, y, put }, patient) => {
  const points = pointsOf(patient);
  const position = ({ day, count }) => `${x(day).toFixed(1)},${y(levelOf(count)).toFixed(1)}`;
  put("polyline", { class: "course", points: points.map(position).join(" ") });
  points.forEach(({ day, count, grade }) => {
    const across = x(day), up = y(levelOf(count));
    const title = `day ${day}: ${countInWords(count)}${grade > 0 ? `, bleeding grade ${grade}` : ""}`;
    if (!Array.isArray(count)) put("circle", { class: "count", cx: across, cy: up, r: 3.4 }, title);
    else put("path", { class: "bound", d: `M${across - 4.5} ${up}h9l-4.5 ${count[1] === null ? -7 : 7}z` }, title);
  });
};

const drawDays = ({ x, first, last, left, right, bottom, put, say }) => {
  const step = STEPS.find((days) => (days / (last - first)) * (right - left) >= 44) ?? STEPS.at(-1);
  put("line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom });
  for (let day = Math.ceil(first / step) * step; day <= last; day += step) {
    put("line", { class: "axis", x1: x(day), x2: x(day), y1: bottom, y2: bottom + 4 });
    say(String(day), x(day), bottom + 16, "scale", "middle");
  }
  say("day", left - 7, bottom + 16, "scale", "end");
};

const drawLane = ({ left, right, put, say }, at, name, verdict) => {
  const fits = Math.floor((left - 10) / 6.1) - verdict.length;
  const short = name.length > fits ? `${name.slice(0, fits - 1)}…` : name;
  say(`${short}${verdict}`, left - 7, at + LANE / 2 + 4, "lane", "end", short === name ? "" : name);
  put("line", { class: "grid", x1: left, x2: right, y1: at + LANE, y2: at + LANE });
};

// A grade is a number in a square; where squares would overlap, it is a narrow bar as high as the grade.
const drawBleeding = ({ x, put, say }, at, { day: days, grade: grades }) => {
  const middle = at + LANE / 2;
  const bleeds = days.filter((_, row) => grades[row] > 0).map(x);
  days.forEach((day, row) => {
    if (grades[row] === null) say("?", x(day), middle + 4, "scale", "middle", `day ${day}: bleeding not recorded`);
    if (grades[row] === 0) put("circle", { class: "free", cx: x(day), cy: middle, r: 1.6 }, `day ${day}: no bleeding`);
  });
  days.forEach((day, row) => {
    const grade = grades[row], across = x(day), title = `day ${day}: bleeding grade ${grade}`;
    if (!(grade > 0)) return;
    if (bleeds.every((other) => other === across || Math.abs(other - across) > 13)) {
      put("rect", { class: "bleeding", x: across - 6, y: middle - 7, width: 12, height: 14, rx: 2 }, title);
      say(String(grade), across, middle + 4, "grade", "middle", title);
    } else put("rect", { class: "bleeding", x: across - 1.5, y: middle + 8 - 4 * grade, width: 3, height: 4 * grade }, title);
  });
};

const drawRescue = ({ x, right, last, put, say }, at, courses) =>
  courses.filter(([begin]) => begin <= last).forEach((course, index) => {
    const begin = x(course[0]), end = Math.max(x(course[1] + 1), begin + 3), next = courses[index + 1];
    put("rect", { class: "rescue", x: begin, y: at + 4, width: end - begin, height: LANE - 8 }, `day ${course[0]}: ${rescueInWords(course)}`);
    const room = (next ? x(next[0]) : right) - end - 6;
    if (course[2].length * 6.2 < room) say(course[2], end + 4, at + LANE / 2 + 4, "note");
  });

// A response is a bar from its onset to its loss, or with an arrow to the last count. Marks are the evidence. A lane that
// is not evaluable is hatched.
const drawVerdict = ({ x, left, right, put }, at, { label, hue, title, marks: [onset, confirming, ended, end = null, lost = 0] }) => {
  const middle = at + LANE / 2;
  if (label === "NE") put("rect", { class: "unknown", x: left, y: at + 5, width: right - left, height: LANE - 10 }, title);
  const days = [onset, confirming, ended, end].filter((day) => day !== null);
  if (label === "Y" && days.length > 1) {
    const from = x(Math.min(...days)), to = x(Math.max(...days));
    const tip = end === null ? "" : lost ? "m0 -6v12" : "m-5 -4l5 4l-5 4";
    put("path", { class: `span m${hue}`, d: `M${from} ${middle}H${to}${tip}` }, title);
  }
  const circle = (day, kind, meaning) =>
    day !== null && put("circle", { class: `mark ${kind} m${hue}`, cx: x(day), cy: middle, r: 4 }, `day ${day}: ${meaning}`);
  circle(onset, "onset", "onset");
  circle(confirming, "confirming", "confirmation");
  if (ended !== null) put("path", { class: `mark m${hue}`, d: `M${x(ended) - 4} ${middle - 4}l8 8m0 -8l-8 8` }, `day ${ended}: decides the result`);
};
