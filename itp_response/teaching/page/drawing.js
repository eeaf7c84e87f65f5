// The timeline: counts by day, what was given and seen besides, the bracket of the verdict, a lamp per clause and day.

const NS = "http://www.w3.org/2000/svg";
const LEFT = 40, RIGHT = 18, TOP = 46, TALL = 250, LANE = 27;
export const KEYS = {
  unless: "never, where", when: "counts, where", discount: "no evidence, where",
  closed_by: "closed by", set_aside: "passed over, where",
};

export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) if (value != null) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** The number drawn for a count: of a bound, the bound. */
export const number = (count) => (count === "" ? null : Number(count.replace(/^[<>≤≥]=?/, "")));
const sign = (count) => count.match(/^[<>≤≥]=?/)?.[0] ?? "";

/** What an observation is worth to a shown endpoint: `yes`, `no`, `open`, `void` (no evidence), `aside`. */
export function worth(set, day) {
  const at = set?.days?.indexOf(day) ?? -1;
  const rules = Object.fromEntries((set?.shown?.rules ?? []).map((rule) => [rule.key, rule]));
  if (at < 0 || rules.when?.of !== "observations") return "aside";
  const line = set.shown.explained.lines.find((one) => one.day === day);
  if (line?.means.startsWith("would qualify")) return "void";
  if (set.shown.kind === "lost") return !line ? "aside" : line.means.startsWith("no loss") ? "yes" : line.means.startsWith("loss") ? "no" : "open";
  if (rules.set_aside && rules.set_aside.at[at] !== false) return "aside";
  if (set.shown.ended != null && set.shown.value === "N" && day > set.shown.ended) return "aside";
  const held = rules.when.at[at];
  return held === null ? "open" : held ? "yes" : "no";
}

/** The same in words. */
export function worthWords(set) {
  const lost = set?.shown?.kind === "lost";
  return { yes: lost ? "no loss" : "qualifies", no: lost ? "loss" : "does not qualify", open: "unknown", void: "no evidence", aside: "" };
}

export class Drawing {
  /** `on` is told: choose(index), move(index, day, count), settle(whether it moved), add(day, count). */
  constructor(place, on) {
    this.place = place;
    this.on = on;
    this.lanes = true;
    // Here, not on the drawing: a drawing that listens for it would take the focus itself.
    place.addEventListener("focusin", (event) => {
      const index = Number(event.target.closest(".obs")?.dataset.index ?? -1);
      if (index >= 0 && index !== this.state.chosen) this.on.choose(index);
    });
    // A finger on an observation moves it, elsewhere the page.
    const held = (event) => { if (event.target.closest(".obs")) event.preventDefault(); };
    place.addEventListener("touchstart", held, { passive: false });
  }

  show(state, sets) {
    const focused = this.place.contains(document.activeElement) && document.activeElement.classList.contains("obs");
    this.state = state;
    this.sets = sets;
    const lanes = this.lanes ? this._lanes() : [];
    const seen = Math.max(this.place.clientWidth, 300);
    this.width = (seen < 640 ? Math.max(seen, 560) : seen) * state.zoom;
    this.bottom = TOP + TALL;
    const tall = this.bottom + 66 + lanes.length * LANE + 8;
    this._scales();
    const parts = [...this._ground(), ...this._bounds(), ...this._given(), ...this._brackets(), ...this._lamps(lanes)];
    const counts = state.entries.filter((one) => one.count !== "").sort((one, two) => one.day - two.day);
    if (counts.length) {
      const points = counts.map((one) => `${this.x(one.day)},${this.y(number(one.count))}`).join(" ");
      parts.push(svg("polyline", { class: "course", points }));
    }
    parts.push(...state.entries.map((one, index) => this._observation(one, index)));
    if (this.held) return this._around(this.held.target, parts);
    const drawn = svg("svg", {
      width: this.width, height: tall, viewBox: `0 0 ${this.width} ${tall}`, role: "group",
      "aria-label": "Timeline. Each observation can be chosen and moved with the arrow keys.",
    }, ...parts);
    this._watch(drawn);
    const from = this.place.scrollLeft;
    this.place.replaceChildren(drawn);
    this.place.scrollLeft = from;
    if (focused) this.focus();
  }

  /** The drawing anew, but for what is held: a finger loses what is taken away under it. */
  _around(target, parts) {
    const drawn = this.place.firstElementChild;
    const at = parts.findIndex((one) => one.dataset.index === target.dataset.index);
    const made = parts[at], hit = target.lastElementChild;
    for (const name of ["class", "transform", "aria-label", "aria-pressed", "tabindex"]) target.setAttribute(name, made.getAttribute(name));
    [...target.children].forEach((one) => one !== hit && one.remove());
    hit.before(...[...made.children].slice(0, -1));
    [...drawn.children].forEach((one) => one !== target && one.remove());
    target.before(...parts.slice(0, at));
    target.after(...parts.slice(at + 1));
  }

  focus() {
    this.place.querySelector(".obs.chosen")?.focus({ preventScroll: true });
  }

  _scales() {
    const days = this.state.entries.flatMap((one) => [one.day, one.rescue ? one.rescue_to : one.day]);
    const planned = this.sets[0]?.visits ?? [];
    const last = Math.max(28, ...days, Math.min(Math.max(0, ...planned), 366));
    const first = Math.min(0, ...days);
    const room = Math.max(2, (last - first) * 0.015);
    this.first = this.held?.first ?? first - room;
    this.last = this.held?.last ?? last + room;
    const most = Math.max(...this.state.entries.map((one) => number(one.count) ?? 0));
    this.most = this.held?.most ?? Math.max(150, most * 1.15, ...this._thresholds().map((one) => one.value * 1.2));
    const wide = this.width - LEFT - RIGHT;
    this.x = (day) => LEFT + ((day - this.first) / (this.last - this.first)) * wide;
    this.day = (x) => Math.round(this.first + ((x - LEFT) / wide) * (this.last - this.first));
    // A square root has room for 0 and shows 30 and 100 well apart.
    this.y = (count) => this.bottom - Math.sqrt(Math.max(count, 0) / this.most) * TALL;
    this.count = (y) => Math.max(0, Math.round(this.most * Math.max(0, (this.bottom - y) / TALL) ** 2));
  }

  _thresholds() {
    return this.sets.flatMap((set, place) => (set?.shown?.thresholds ?? []).map((one) => ({ ...one, place })));
  }

  _ground() {
    const found = [];
    for (const count of [0, 10, 30, 50, 100, 200, 300, 500, 750, 1000].filter((one) => one <= this.most)) {
      found.push(
        svg("line", { class: "grid", x1: LEFT, x2: this.width - RIGHT, y1: this.y(count), y2: this.y(count) }),
        svg("text", { x: LEFT - 7, y: this.y(count) + 4, "text-anchor": "end" }, String(count)),
      );
    }
    const step = [7, 14, 28, 56, 84, 182, 364, 728, 3640].find((one) => this.x(one) - this.x(0) > 44) ?? 36400;
    for (let day = Math.ceil(this.first / step) * step; day <= this.last; day += step) {
      found.push(svg("text", { x: this.x(day), y: this.bottom + 58, "text-anchor": "middle" }, day === 0 ? "day 0" : String(day)));
      found.push(svg("line", { class: "axis", x1: this.x(day), x2: this.x(day), y1: this.bottom + 40, y2: this.bottom + 46 }));
    }
    found.push(svg("line", { class: "axis", x1: LEFT, x2: this.width - RIGHT, y1: this.bottom + 40, y2: this.bottom + 40 }));
    const chosen = this.state.entries[this.state.chosen];
    if (chosen) found.push(svg("rect", { class: "now", x: this.x(chosen.day) - 8, width: 16, y: TOP - 12, height: 4000 }));
    return found;
  }

  _bounds() {
    const found = [], named = [];
    // From the highest down: one close under another is named below its line, what lies on one line together.
    for (const one of this._thresholds().sort((two, other) => other.value - two.value)) {
      const y = this.y(one.value), letter = "ab"[one.place], words = one.words.replace(/^a count (of )?/, "");
      found.push(svg("line", { class: `bound ${letter}`, x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y }, svg("title", {}, one.words)));
      const last = named.at(-1);
      if (last && last.y === y) {
        if (!last.text.textContent.split(", ").includes(words)) last.text.textContent += `, ${words}`;
        continue;
      }
      const below = last && y - last.y < 18;
      const text = svg("text", { class: letter, x: this.width - RIGHT, y: below ? y + 12 : y - 4, "text-anchor": "end" }, words);
      named.push({ y, text });
      found.push(text);
    }
    return found;
  }

  /** Bleeding and rescue treatment, below the counts. */
  _given() {
    const found = [], y = this.bottom + 26;
    for (const one of this.state.entries) {
      const x = this.x(one.day);
      if (one.rescue) {
        const wide = Math.max(7, this.x(one.rescue_to) - x);
        found.push(
          svg("rect", { class: "rescue", x: x - 3, y: y + 3, width: wide, height: 7, rx: 2 }, svg("title", {}, `rescue ${one.rescue_name}`)),
        );
      }
      if (one.bleed !== "0") {
        found.push(
          svg("path", { class: one.bleed === "?" ? "bleed unsure" : "bleed", d: `M${x} ${y - 17}c4 6 5 8 5 10a5 5 0 0 1-10 0c0-2 1-4 5-10z` }),
          svg("text", { class: "bleed", x: x + 7, y: y - 4 }, one.bleed),
        );
      }
    }
    return found;
  }

  /** From the onset to the observation that made it sure; a cross where one ended it. */
  _brackets() {
    return this.sets.flatMap((set, place) => {
      const shown = set?.shown;
      if (!shown) return [];
      const letter = "ab"[place], y = 12 + place * 17, found = [];
      let from = LEFT, to = LEFT;
      if (shown.onset != null) {
        from = this.x(shown.onset);
        to = this.x(shown.confirming ?? shown.ended ?? shown.onset);
        found.push(svg("path", { class: `bracket ${letter}`, d: `M${from} ${y + 7}V${y}H${Math.max(to, from + 1)}V${y + 7}` }));
      }
      if (shown.ended != null) {
        const x = this.x(shown.ended);
        if (shown.onset == null) from = to = x + 4;
        else to = Math.max(to, x + 4);
        found.push(svg("path", { class: `bracket ${letter}`, d: `M${x - 4} ${y - 4}l8 8m0-8l-8 8` }, svg("title", {}, "ends here")));
      }
      const words = `${shown.endpoint}: ${set.verdicts.find((one) => one.endpoint === shown.endpoint).said}${shown.because === "met" ? "" : ` (${shown.because})`}`;
      const end = to > this.width * 0.7;
      found.push(svg("text", { class: letter, x: end ? from - 8 : to + (to > LEFT ? 8 : 0), y: y + 5, "text-anchor": end ? "end" : "start" }, words));
      return found;
    });
  }

  _lanes() {
    return this.sets.flatMap((set, place) =>
      (set?.shown?.rules ?? []).filter((rule) => rule.of === "observations").flatMap((rule) => [
        { place, set, words: `${set.shown.endpoint}: ${KEYS[rule.key] ?? rule.key}${rule.clauses.length === 1 ? ` ${rule.words}` : " …"}`, at: rule.at, whole: true },
        ...(rule.clauses.length === 1 ? [] : rule.clauses.map((one) => ({ place, set, words: one.words, at: one.at }))),
      ]),
    );
  }

  _lamps(lanes) {
    return lanes.flatMap((lane, number_) => {
      const y = this.bottom + 84 + number_ * LANE;
      return [
        svg("text", { class: `lane${lane.whole ? " whole" : ""} ${lane.whole ? "ab"[lane.place] : ""}`, x: lane.whole ? LEFT : LEFT + 10, y: y - 5 }, lane.words),
        svg("line", { class: "line", x1: LEFT, x2: this.width - RIGHT, y1: y + 5, y2: y + 5 }),
        ...lane.set.days.map((day, at) => {
          const held = lane.at[at] === null ? "open" : lane.at[at] ? "yes" : "no";
          return svg("circle", { class: `lamp ${held} ${"ab"[lane.place]}`, cx: this.x(day), cy: y + 5, r: lane.whole ? 4.5 : 3.6 });
        }),
      ];
    });
  }

  _observation(one, index) {
    const value = number(one.count), x = this.x(one.day);
    const y = value === null ? this.bottom + 16 : this.y(value);
    const held = worth(this.sets[0], one.day);
    const words = worthWords(this.sets[0])[held];
    const label = [`day ${one.day}`, one.count === "" ? "no count" : `count ${one.count}`,
      one.bleed === "0" ? "" : `bleeding ${one.bleed === "?" ? "not recorded" : `grade ${one.bleed}`}`,
      one.rescue ? "rescue treatment" : "", words].filter(Boolean).join(", ");
    const chosen = index === this.state.chosen;
    const found = svg("g", {
      class: `obs ${held}${chosen ? " chosen" : ""}`, role: "button", tabindex: chosen ? 0 : -1,
      "aria-label": label, "aria-pressed": chosen, "data-index": index, transform: `translate(${x} ${y})`,
    });
    found.append(svg("title", {}, label), svg("circle", { class: "ring", r: 10 }));
    if (value === null) found.append(svg("circle", { class: "dot", r: 2.5 }));
    else found.append(svg("circle", { class: "dot", r: 5.5 }), ...this._glyph(one, held));
    found.append(svg("circle", { class: "hit", r: 13 }));
    return found;
  }

  _glyph(one, held) {
    const mark = sign(one.count);
    if (mark) {
      const down = mark.startsWith("<") || mark === "≤";
      return [svg("path", { class: "cross", fill: "none", d: down ? "M0 7v10m-4-4 4 4 4-4" : "M0-7v-10m-4 4 4-4 4 4" })];
    }
    if (held === "no") return [svg("path", { class: "cross", d: "M-2.4-2.4 2.4 2.4M2.4-2.4-2.4 2.4" })];
    return held === "open" ? [svg("text", { class: "glyph", y: 3.5 }, "?")] : [];
  }

  // THE HAND

  _watch(drawn) {
    drawn.addEventListener("pointerdown", (event) => this._down(event, drawn));
    drawn.addEventListener("pointermove", (event) => this._hover(event, drawn));
    drawn.addEventListener("pointerleave", () => drawn.querySelectorAll(".ghost").forEach((one) => one.remove()));
  }

  _spot(event) {
    const box = this.place.firstElementChild.getBoundingClientRect();
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
      const put = (up) => {
        const end = this._spot(up);
        if (Math.hypot(end.x - start.x, end.y - start.y) < 6) this.on.add(this.day(start.x), this.count(start.y));
      };
      addEventListener("pointerup", put, { once: true });
      return;
    }
    event.preventDefault();
    const index = Number(target.dataset.index);
    this.held = { target, first: this.first, last: this.last, most: this.most };
    this.on.choose(index);
    target.focus({ preventScroll: true });
    const before = { ...this.state.entries[index] };
    let way = null;
    const move = (moved) => {
      const now = this._spot(moved), aside = now.x - start.x, up = now.y - start.y;
      way ??= Math.hypot(aside, up) < 5 ? null : Math.abs(aside) > Math.abs(up) ? "day" : "count";
      if (way === "day") this.on.move(index, before.day + this.day(now.x) - this.day(start.x), before.count);
      if (way === "count" && before.count !== "") {
        const from = this.y(number(before.count));
        this.on.move(index, before.day, sign(before.count) + this.count(from + up));
      }
    };
    const drop = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", drop);
      removeEventListener("pointercancel", drop);
      this.held = null;
      this.on.settle(way !== null);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", drop);
    addEventListener("pointercancel", drop);
  }

  _hover(event, drawn) {
    drawn.querySelectorAll(".ghost").forEach((one) => one.remove());
    const spot = this._spot(event);
    if (this.held || event.pointerType !== "mouse" || event.target.closest(".obs") || !this._inside(spot)) return;
    const end = spot.x > this.width - 120;
    drawn.append(
      svg("circle", { class: "ghost", cx: spot.x, cy: spot.y, r: 5.5 }),
      svg("text", { class: "ghost", x: spot.x + (end ? -10 : 10), y: spot.y - 8, "text-anchor": end ? "end" : "start" }, `day ${this.day(spot.x)}, ${this.count(spot.y)}`),
    );
  }
}

/** A small drawing of a worked example. */
export function sketch({ counts, bleeds, rescues }, held) {
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
