// The quiz: a timeline on which one thing decides, and an endpoint; what is the verdict, and why?

import { sketch } from "./drawing.js";
import { badge, make } from "./panels.js";

const CHOICES = [["Y", "met"], ["N", "not met"], ["NE", "not evaluable"], ["NA", "does not arise"]];

/** `on`: ask(seed, hard) gives questions, why(question) the rows of the explanation, load(question, line) shows it. */
export function quiz(place, on) {
  let right = 0, asked = 0, hard = false, seed = Math.floor(Math.random() * 1e6), heap = [];

  async function next() {
    if (!heap.length) {
      place.append(make("p", { className: "small", role: "status" }, "Questions are being made …"));
      try {
        heap = await on.ask(seed, hard);
      } catch (error) {
        heap = [];
        return begin(error.message);
      }
      seed += 1;
      if (!heap.length) return begin("There are no questions about this set.");
    }
    return show(heap.shift());
  }

  function show(one) {
    const answer = make("div", { role: "status" });
    const choices = CHOICES.map(([value, words]) => make("button", { onclick: (event) => tell(event.currentTarget, value) }, badge(value), ` ${words}`));

    async function tell(button, value) {
      asked += 1;
      right += value === one.answer ? 1 : 0;
      choices.forEach((each, at) => {
        each.disabled = true;
        if (CHOICES[at][0] === one.answer) each.classList.add("right");
      });
      if (value !== one.answer) button.classList.add("wrong");
      const why = await on.why(one);
      const further = make("button", { onclick: next }, "The next one");
      answer.replaceChildren(
        make("p", {}, make("strong", {}, value === one.answer ? "Right. " : `No, it is ${one.answer}. `), one.decides),
        make("div", { className: "scroll" }, make("table", {}, make("tbody", {}, ...why.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", {}, cell))))))),
        make("div", { className: "tools" },
          further,
          make("button", { onclick: () => on.load(one, one.timeline) }, "Put it on the timeline"),
          one.twin && make("button", { onclick: () => on.load(one, one.twin) }, "Put its twin there"),
          make("span", { className: "small" }, `${right} of ${asked} right`)));
      further.focus({ preventScroll: true });
    }

    const drawn = sketch(one.sketch);
    drawn.setAttribute("width", "480");
    drawn.setAttribute("height", "96");
    place.replaceChildren(
      make("p", {}, make("strong", {}, `${one.criteria}, ${one.endpoint}: ${one.label}. `), one.says),
      drawn,
      make("p", { className: "preline", id: "quiz-line" }, one.timeline),
      make("div", { className: "choices", role: "group", "aria-label": "The verdict" }, ...choices),
      answer);
    return null;
  }

  function begin(trouble = "") {
    place.replaceChildren(
      make("p", {}, "A timeline and an endpoint of the set shown first; one thing on it decides. What is the verdict?"),
      make("div", { className: "tools" },
        make("button", { onclick: next }, "Begin"),
        make("label", { className: "tick" }, make("input", { type: "checkbox", checked: hard, onchange: (event) => { hard = event.target.checked; } }), "hard ones, on which two interpretations of the source differ")),
      make("p", { role: "status" }, trouble));
  }

  begin();
}
