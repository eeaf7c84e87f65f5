// The timeline: counts by day, bleeding and rescue treatment, the bracket of the result, the effect of each clause by day.

const NS = "http://www.w3.org/2000/svg";
const LEFT = 52, RIGHT = 18, TOP = 46, UNDER = 80, LANE = 27, LETTER = 6.3;
export const KEYS = {
  unless: "not met if", when: "qualifies if", at_once: "one observation is enough if", discount: "not evidence of response if",
  closed_by: "can no longer be met after", set_aside: "observation disregarded if",
};

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) if (value != null) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** An endpoint by its label, with its id; where the label is the id, it is named once. */
export const named = (label, id) => (label.toLowerCase() === id.replaceAll("_", " ").toLowerCase() ? label : `${label} (${id})`);

/** The number drawn for a count; a censored count is drawn at its bound. */
export const number = (count) => (count === "" ? null : Number(count.replace(/^[<>≤≥]=?/, "")));
const sign = (count) => count.match(/^[<>≤≥]=?/)?.[0] ?? "";

const PARTS = { qualifies: "yes", fails: "no", unknown: "open", discounted: "void", too_soon: "void" };

/** The part of an observation in a shown endpoint: `yes`, `no`, `open`, `void` (not evidence), `aside` (not considered). */
export function partOf(set, day) {
  const [, played] = set?.shown?.explained.parts.find(([candidate]) => candidate === day) ?? [];
  const part = PARTS[played] ?? "aside";
  return set?.shown?.is_loss ? { yes: "no", no: "yes" }[part] ?? part : part;
}

/** `yes`, `no` or, of what is unknown, `open`. */
export const truthName = (truth) => (truth === null ? "open" : truth ? "yes" : "no");

/** The parts of observations in words. */
export function partsInWords(set) {
  const lost = set?.shown?.is_loss;
  return { yes: lost ? "no loss" : "qualifies", no: lost ? "loss" : "does not qualify", open: "unknown", void: "does not count", aside: "not considered" };
}

/** The mark of what a clause does on a day; one without effect is small, and filled if the clause is true. */
export function effectMark(effect, truth, letter, x, y, size) {
  const attributes = { class: `effect ${effect} ${truth === true ? "true" : ""} ${letter}` };
  if (effect === "against") return svg("path", { ...attributes, d: `M${x - size} ${y - size}l${2 * size} ${2 * size}m0 ${-2 * size}l${-2 * size} ${2 * size}` });
  return svg("circle", { ...attributes, cx: x, cy: y, r: effect === "none" ? size * 0.6 : size });
}

export class Drawing {
  /** Calls `on` with choose(index), move(index, day, count), settle(whether it moved) and add(day, count). */
  constructor(container, on) {
    this.container = container;
    this.on = on;
    this.lanes = true;
    // The container listens, because a drawing that listens for focus would take the focus itself.
    container.addEventListener("focusin", (event) => {
      const index = Number(event.target.closest(".obs")?.dataset.index ?? -1);
      if (index >= 0 && index !== this.state.chosen) this.on.choose(index);
    });
    // A finger on an observation moves it, elsewhere the page.
    const keepPage = (event) => { if (event.target.closest(".obs")) event.preventDefault(); };
    container.addEventListener("touchstart", keepPage, { passive: false });
  }

  show(state, sets) {
    const focused = this.container.contains(document.activeElement) && document.activeElement.classList.contains("obs");
    this.state = state;
    this.sets = sets;
    const lanes = this.lanes ? this._lanes() : [];
    const visible = Math.max(this.container.clientWidth, 300);
    this.width = visible * state.zoom;
    this.tall = visible < 640 ? 190 : 230;
    this.bottom = TOP + this.tall;
    const tall = this.bottom + UNDER + lanes.length * LANE + 8;
    this._scales();
    const parts = [...this._ground(), ...this._thresholdLines(), ...this._events(), ...this._brackets(), ...this._clauseResults(lanes)];
    const counts = state.entries.filter((entry) => entry.count !== "").sort((earlier, later) => earlier.day - later.day);
    if (counts.length) {
      const points = counts.map((entry) => `${this.x(entry.day)},${this.y(number(entry.count))}`).join(" ");
      parts.push(svg("polyline", { class: "course", points }));
    }
    parts.push(...state.entries.map((entry, index) => this._observation(entry, index)));
    if (this.drag) return this._redrawAround(this.drag.target, parts);
    const drawn = svg("svg", {
      width: this.width, height: tall, viewBox: `0 0 ${this.width} ${tall}`, role: "group",
      "aria-label": "Timeline. Select an observation with the left and right arrow keys, change its count with up and down.",
    }, ...parts);
    this._watch(drawn);
    const from = this.container.scrollLeft;
    this.container.replaceChildren(drawn);
    this.container.scrollLeft = from;
    if (focused) this.focus();
  }

  /** Redraws all but the observation that is dragged: a finger loses an element that is replaced under it. */
  _redrawAround(target, parts) {
    const drawn = this.container.firstElementChild;
    const at = parts.findIndex((part) => part.dataset.index === target.dataset.index);
    const redrawn = parts[at], hit = target.lastElementChild;
    for (const name of ["class", "transform", "aria-label", "aria-pressed", "tabindex"]) target.setAttribute(name, redrawn.getAttribute(name));
    [...target.children].forEach((child) => child !== hit && child.remove());
    hit.before(...[...redrawn.children].slice(0, -1));
    [...drawn.children].forEach((child) => child !== target && child.remove());
    target.before(...parts.slice(0, at));
    target.after(...parts.slice(at + 1));
  }

  focus() {
    this.container.querySelector(".obs.chosen")?.focus({ preventScroll: true });
  }

  _scales() {
    const days = this.state.entries.flatMap((entry) => [entry.day, entry.rescue ? entry.rescue_to : entry.day]);
    const planned = this.sets[0]?.visits ?? [];
    const last = Math.max(28, ...days, Math.min(Math.max(0, ...planned), 366));
    const first = Math.min(0, ...days);
    const room = Math.max(2, (last - first) * 0.015);
    this.first = this.drag?.first ?? first - room;
    this.last = this.drag?.last ?? last + room;
    const most = Math.max(...this.state.entries.map((entry) => number(entry.count) ?? 0));
    this.most = this.drag?.most ?? Math.max(150, most * 1.15, ...this._thresholds().map((threshold) => threshold.value * 1.2));
    const wide = this.width - LEFT - RIGHT;
    this.x = (day) => LEFT + ((day - this.first) / (this.last - this.first)) * wide;
    this.day = (x) => Math.round(this.first + ((x - LEFT) / wide) * (this.last - this.first));
    // A square root has room for 0 and shows 30 and 100 well apart.
    this.y = (count) => this.bottom - Math.sqrt(Math.max(count, 0) / this.most) * this.tall;
    this.count = (y) => Math.max(0, Math.round(this.most * Math.max(0, (this.bottom - y) / this.tall) ** 2));
  }

  _thresholds() {
    return this.sets.flatMap((set, setNumber) =>
      (set?.shown?.thresholds ?? []).map((threshold) => ({ ...threshold, set: setNumber })));
  }

  _ground() {
    const parts = [];
    for (const count of [0, 10, 30, 50, 100, 200, 300, 500, 750, 1000].filter((count) => count <= this.most)) {
      parts.push(
        svg("line", { class: "grid", x1: LEFT, x2: this.width - RIGHT, y1: this.y(count), y2: this.y(count) }),
        svg("text", { x: LEFT - 7, y: this.y(count) + 4, "text-anchor": "end" }, String(count)),
      );
    }
    const step = [7, 14, 28, 56, 84, 182, 364, 728, 3640].find((days) => this.x(days) - this.x(0) > 44) ?? 36400;
    for (let day = Math.ceil(this.first / step) * step; day <= this.last; day += step) {
      parts.push(svg("text", { x: this.x(day), y: this.bottom + 58, "text-anchor": "middle" }, day === 0 ? "day 0" : String(day)));
      parts.push(svg("line", { class: "axis", x1: this.x(day), x2: this.x(day), y1: this.bottom + 40, y2: this.bottom + 46 }));
    }
    parts.push(svg("line", { class: "axis", x1: LEFT, x2: this.width - RIGHT, y1: this.bottom + 40, y2: this.bottom + 40 }));
    const chosen = this.state.entries[this.state.chosen];
    if (chosen) parts.push(svg("rect", { class: "now", x: this.x(chosen.day) - 8, width: 16, y: TOP - 12, height: 4000 }));
    return [...parts, ...this._titles()];
  }

  /** What the axes show, with their units. */
  _titles() {
    const middle = TOP + this.tall / 2, zero = this.sets[0]?.day_0;
    const days = zero && `Days from day 0 (${zero})`;
    const fits = days && days.length * LETTER < this.width - LEFT - RIGHT;
    return [
      svg("text", { class: "title", x: 13, y: middle, "text-anchor": "middle", transform: `rotate(-90 13 ${middle})` }, "Platelet count, ×10⁹/L"),
      svg("text", { class: "title", x: (LEFT + this.width - RIGHT) / 2, y: this.bottom + 74, "text-anchor": "middle" }, fits ? days : "Days from day 0"),
    ];
  }

  _thresholdLines() {
    const parts = [], named = [];
    // From the highest down. Thresholds on one line share a text; the text of one close under another is below its line.
    for (const threshold of this._thresholds().sort((first, second) => second.value - first.value)) {
      const y = this.y(threshold.value), letter = "ab"[threshold.set], words = threshold.words.replace(/^a count (of )?/, "");
      parts.push(svg("line", { class: `bound ${letter}`, x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y }, svg("title", {}, threshold.words)));
      const last = named.at(-1);
      if (last && last.y === y) {
        if (!last.text.textContent.split(", ").includes(words)) last.text.textContent += `, ${words}`;
        continue;
      }
      const below = last && y - last.y < 18;
      const text = svg("text", { class: letter, x: this.width - RIGHT, y: below ? y + 12 : y - 4, "text-anchor": "end" }, words);
      named.push({ y, text });
      parts.push(text);
    }
    return parts;
  }

  /** Bleeding and rescue treatment, below the counts. */
  _events() {
    const parts = [], y = this.bottom + 26;
    for (const entry of this.state.entries) {
      const x = this.x(entry.day);
      if (entry.rescue) {
        const wide = Math.max(7, this.x(entry.rescue_to) - x);
        parts.push(
          svg("rect", { class: "rescue", x: x - 3, y: y + 3, width: wide, height: 7, rx: 2 }, svg("title", {}, `rescue ${entry.rescue_name}`)),
        );
      }
      if (entry.bleed !== "0") {
        parts.push(
          svg("path", { class: entry.bleed === "?" ? "bleed unsure" : "bleed", d: `M${x} ${y - 17}c4 6 5 8 5 10a5 5 0 0 1-10 0c0-2 1-4 5-10z` }),
          svg("text", { class: "bleed", x: x + 7, y: y - 4 }, entry.bleed),
        );
      }
    }
    return parts;
  }

  /** Brackets from the onset to the confirming observation; a cross at the observation that ended it. */
  _brackets() {
    return this.sets.flatMap((set, setNumber) => {
      const shown = set?.shown;
      if (!shown) return [];
      const letter = "ab"[setNumber], y = 12 + setNumber * 17, parts = [];
      let from = LEFT, to = LEFT;
      if (shown.onset != null) {
        from = this.x(shown.onset);
        to = this.x(shown.confirming ?? shown.ended ?? shown.onset);
        parts.push(svg("path", { class: `bracket ${letter}`, d: `M${from} ${y + 7}V${y}H${Math.max(to, from + 1)}V${y + 7}` }));
      }
      if (shown.ended != null) {
        const x = this.x(shown.ended);
        if (shown.onset == null) from = to = x + 4;
        else to = Math.max(to, x + 4);
        parts.push(svg("path", { class: `bracket ${letter}`, d: `M${x - 4} ${y - 4}l8 8m0-8l-8 8` }, svg("title", {}, "ends here")));
      }
      const isLeft = to > this.width * 0.7, room = isLeft ? from - 8 : this.width - to - 8;
      const text = this._resultText(set, room);
      parts.push(svg("text", { class: letter, x: isLeft ? from - 8 : to + (to > LEFT ? 8 : 0), y: y + 5, "text-anchor": isLeft ? "end" : "start" }, text));
      return parts;
    });
  }

  /** The result as fully as it fits beside the bracket; it stands in full above the drawing. */
  _resultText({ shown, verdicts }, room) {
    const { result, value } = verdicts.find((verdict) => verdict.endpoint === shown.endpoint);
    const because = ["met", "event"].includes(shown.reason) ? "" : ` (${shown.because})`;
    const texts = [`${named(shown.label, shown.endpoint)}: ${result}${because}`, `${shown.endpoint}: ${result}${because}`, `${shown.endpoint}: ${result}`];
    return texts.find((text) => text.length * LETTER < room) ?? `${shown.endpoint}: ${value}`;
  }

  _lanes() {
    return this.sets.flatMap((set, setNumber) =>
      (set?.shown?.rules ?? []).filter((rule) => rule.of === "observations").flatMap((rule) => {
        const lane = { letter: "ab"[setNumber], set }, isOne = rule.clauses.length === 1;
        return [
          { ...lane, words: `${set.shown.endpoint}: ${KEYS[rule.key] ?? rule.key}${isOne ? ` ${rule.words}` : " …"}`, at: rule.at, effects: rule.effects, whole: true },
          ...(isOne ? [] : rule.clauses.map((clause) => ({ ...lane, words: clause.words, at: clause.at, effects: clause.effects }))),
        ];
      }),
    );
  }

  _clauseResults(lanes) {
    return lanes.flatMap((lane, laneNumber) => {
      const y = this.bottom + UNDER + 18 + laneNumber * LANE;
      return [
        svg("text", { class: `lane${lane.whole ? " whole" : ""} ${lane.whole ? lane.letter : ""}`, x: lane.whole ? LEFT : LEFT + 10, y: y - 5 }, this._shortened(lane.words)),
        svg("line", { class: "line", x1: LEFT, x2: this.width - RIGHT, y1: y + 5, y2: y + 5 }),
        ...lane.set.days.map((day, at) => effectMark(lane.effects[at], lane.at[at], lane.letter, this.x(day), y + 5, lane.whole ? 4.5 : 3.6)),
      ];
    });
  }

  _shortened(words) {
    const most = Math.floor((this.width - LEFT - RIGHT - 10) / LETTER);
    return words.length > most ? `${words.slice(0, most - 1)}…` : words;
  }

  _observation(entry, index) {
    const value = number(entry.count), x = this.x(entry.day);
    const y = value === null ? this.bottom + 16 : this.y(value);
    const part = partOf(this.sets[0], entry.day);
    const words = partsInWords(this.sets[0])[part];
    const label = [`day ${entry.day}`, entry.count === "" ? "no count" : `count ${entry.count}`,
      entry.bleed === "0" ? "" : `bleeding ${entry.bleed === "?" ? "not recorded" : `grade ${entry.bleed}`}`,
      entry.rescue ? "rescue treatment" : "", words].filter(Boolean).join(", ");
    const chosen = index === this.state.chosen;
    const group = svg("g", {
      class: `obs ${part}${chosen ? " chosen" : ""}`, role: "button", tabindex: chosen ? 0 : -1,
      "aria-label": label, "aria-pressed": chosen, "data-index": index, transform: `translate(${x} ${y})`,
    });
    group.append(svg("title", {}, label), svg("circle", { class: "ring", r: 10 }));
    if (value === null) group.append(svg("circle", { class: "dot", r: 2.5 }));
    else group.append(svg("circle", { class: "dot", r: 5.5 }), ...this._glyph(entry, part));
    group.append(svg("circle", { class: "hit", r: 13 }));
    return group;
  }

  _glyph(entry, part) {
    const mark = sign(entry.count);
    if (mark) {
      const down = mark.startsWith("<") || mark === "≤";
      return [svg("path", { class: "cross", fill: "none", d: down ? "M0 7v10m-4-4 4 4 4-4" : "M0-7v-10m-4 4 4-4 4 4" })];
    }
    if (part === "no") return [svg("path", { class: "cross", d: "M-2.4-2.4 2.4 2.4M2.4-2.4-2.4 2.4" })];
    return part === "open" ? [svg("text", { class: "glyph", y: 3.5 }, "?")] : [];
  }

  // THE POINTER

  _watch(drawn) {
    drawn.addEventListener("pointerdown", (event) => this._down(event, drawn));
    drawn.addEventListener("pointermove", (event) => this._hover(event, drawn));
    drawn.addEventListener("pointerleave", () => drawn.querySelectorAll(".ghost").forEach((ghost) => ghost.remove()));
  }

  _spot(event) {
    const box = this.container.firstElementChild.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  _inside({ x, y }) {
    return x > LEFT && x < this.width - RIGHT && y > TOP - 10 && y < this.bottom + 3;
  }

  _down(event, drawn) {
    const target = event.target.closest(".obs");
    const start = this._spot(event);
    if (!target) {
      if (!this._inside(start) || event.button !== 0) return;
      const add = (up) => {
        const end = this._spot(up);
        if (Math.hypot(end.x - start.x, end.y - start.y) < 6) this.on.add(this.day(start.x), this.count(start.y));
      };
      addEventListener("pointerup", add, { once: true });
      return;
    }
    event.preventDefault();
    const index = Number(target.dataset.index);
    this.drag = { target, first: this.first, last: this.last, most: this.most };
    this.on.choose(index);
    target.focus({ preventScroll: true });
    const before = { ...this.state.entries[index] };
    let direction = null;
    const move = (moveEvent) => {
      const now = this._spot(moveEvent), aside = now.x - start.x, up = now.y - start.y;
      direction ??= Math.hypot(aside, up) < 5 ? null : Math.abs(aside) > Math.abs(up) ? "day" : "count";
      if (direction === "day") this.on.move(index, before.day + this.day(now.x) - this.day(start.x), before.count);
      if (direction === "count" && before.count !== "") {
        const from = this.y(number(before.count));
        this.on.move(index, before.day, sign(before.count) + this.count(from + up));
      }
    };
    const drop = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", drop);
      removeEventListener("pointercancel", drop);
      this.drag = null;
      this.on.settle(direction !== null);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", drop);
    addEventListener("pointercancel", drop);
  }

  _hover(event, drawn) {
    drawn.querySelectorAll(".ghost").forEach((ghost) => ghost.remove());
    const spot = this._spot(event);
    if (this.drag || event.pointerType !== "mouse" || event.target.closest(".obs") || !this._inside(spot)) return;
    const isLeft = spot.x > this.width - 120;
    drawn.append(
      svg("circle", { class: "ghost", cx: spot.x, cy: spot.y, r: 5.5 }),
      svg("text", { class: "ghost", x: spot.x + (isLeft ? -10 : 10), y: spot.y - 8, "text-anchor": isLeft ? "end" : "start" }, `day ${this.day(spot.x)}, ${this.count(spot.y)}`),
    );
  }
}

/** A small drawing of a worked example. */
export function sketch({ counts, bleeds, rescues }) {
  const days = [...counts.map(([day]) => day), ...bleeds, ...rescues];
  const first = Math.min(0, ...days), last = Math.max(28, ...days), most = Math.max(120, ...counts.map(([, count]) => count));
  const x = (day) => 4 + ((day - first) / (last - first)) * 232, y = (count) => 36 - Math.sqrt(count / most) * 32;
  return svg("svg", { viewBox: "0 0 240 48", "aria-hidden": "true" },
    svg("line", { class: "grid", x1: 0, x2: 240, y1: y(30), y2: y(30) }), svg("line", { class: "grid", x1: 0, x2: 240, y1: y(100), y2: y(100) }),
    svg("polyline", { class: "course", points: counts.map(([day, count]) => `${x(day)},${y(count)}`).join(" ") }),
    ...counts.map(([day, count]) => svg("circle", { cx: x(day), cy: y(count), r: 1.8, fill: "currentColor" })),
    ...bleeds.map((day) => svg("circle", { class: "bleed", cx: x(day), cy: 43, r: 2.4 })),
    ...rescues.map((day) => svg("rect", { class: "rescue", x: x(day) - 2, y: 41, width: 5, height: 4 })),
  );
}
