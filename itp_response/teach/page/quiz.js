// The quiz: a worked patient and a criterion; what is the verdict, and why?

import { sketch } from "./drawing.js";
import { badge, make } from "./panels.js";

const CHOICES = [["Y", "met"], ["N", "not met"], ["NE", "cannot be said"], ["NA", "does not arise"]];
const any = (list) => list[Math.floor(Math.random() * list.length)];

/** `on`: info() of the set shown, decide(case, criterion) its verdict explained, load(case) puts it on the timeline. */
export function quiz(place, on) {
  let right = 0, asked = 0;

  function score() {
    return asked ? `${right} of ${asked} right` : "";
  }

  async function next() {
    const set = await on.info();
    const cases = set.cases.filter((one) => Object.values(one.values).some(known));
    if (!cases.length) return place.replaceChildren(make("p", {}, `${set.name} has no worked patients to ask about.`));
    const one = any(cases);
    const criterion = any(set.criteria.filter(({ name }) => known(one.values[name])));
    const answer = make("div", { role: "status" });
    const choices = CHOICES.map(([value, words]) => make("button", {
      onclick: (event) => tell(event.currentTarget, value),
    }, badge(value), ` ${words}`));

    async function tell(button, value) {
      const truth = one.values[criterion.name];
      asked += 1;
      right += value === truth ? 1 : 0;
      choices.forEach((each, at) => {
        each.disabled = true;
        if (CHOICES[at][0] === truth) each.classList.add("right");
      });
      if (value !== truth) button.classList.add("wrong");
      const why = await on.decide(one, criterion.name);
      answer.replaceChildren(
        make("p", {}, make("strong", {}, value === truth ? "Right. " : `No, it is ${truth}. `), `${one.name}: ${one.because}.`),
        make("div", { className: "scroll" }, make("table", {}, make("tbody", {}, ...why.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", {}, cell))))))),
        make("div", { className: "tools" },
          make("button", { onclick: () => on.load(one, criterion.name) }, "Put it on the timeline"),
          make("button", { onclick: next }, "The next one"),
          make("span", { className: "small" }, score())));
      answer.querySelectorAll("button")[1].focus({ preventScroll: true });
    }

    const drawn = sketch(one.sketch);
    drawn.setAttribute("width", "480");
    drawn.setAttribute("height", "96");
    const further = [
      one.baseline && `baseline ${one.baseline}`, one.discontinued != null && `treatment stopped on day ${one.discontinued}`,
      ...Object.entries(one.patient).map(([name, value]) => `${name.replaceAll("_", " ")}: ${value}`),
    ].filter(Boolean).join(", ");
    place.replaceChildren(
      make("p", {}, make("strong", {}, `${set.name}, ${criterion.name}: ${criterion.label}. `), criterion.says),
      drawn,
      make("p", { className: "preline", id: "quiz-line" }, one.timeline), further && make("p", {}, further),
      make("div", { className: "choices", role: "group", "aria-label": "The verdict" }, ...choices),
      answer);
    return null;
  }

  const known = (value) => CHOICES.some(([one]) => one === value);
  place.replaceChildren(
    make("p", {}, "A worked patient and a criterion of the set shown first: is it met, not met, can it not be said, or does it not arise?"),
    make("button", { onclick: next }, "Begin"));
}
