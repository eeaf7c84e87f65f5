// The quiz: a timeline, an endpoint, and the question of the result; one observation decides.

import { named, sketch } from "./drawing.js";
import { badge, make } from "./panels.js";

const CHOICES = [["Y", "met"], ["N", "not met"], ["NE", "not evaluable"], ["NA", "not applicable"]];

/** `on` has ask(seed, hard) for questions, why(question) for an explanation's rows, load(question, line) to show a line. */
export function quiz(container, on) {
  let right = 0, answered = 0, hard = false, seed = Math.floor(Math.random() * 1e6), questions = [];

  async function next() {
    if (!questions.length) {
      container.append(make("p", { className: "small", role: "status" }, "Preparing questions …"));
      try {
        questions = await on.ask(seed, hard);
      } catch (error) {
        questions = [];
        return begin(error.message);
      }
      seed += 1;
      if (!questions.length) return begin("There are no questions about this definition.");
    }
    return show(questions.shift());
  }

  function show(question) {
    const grade = make("div", { role: "status" });
    const choices = CHOICES.map(([value, words]) => make("button", { onclick: (event) => answer(event.currentTarget, value) }, badge(value), ` ${words}`));

    async function answer(button, value) {
      answered += 1;
      right += value === question.answer ? 1 : 0;
      choices.forEach((choice, index) => {
        choice.disabled = true;
        if (CHOICES[index][0] === question.answer) choice.classList.add("right");
      });
      if (value !== question.answer) button.classList.add("wrong");
      hint.disabled = true;
      const why = await on.why(question);
      const further = make("button", { onclick: next }, "Next question");
      grade.replaceChildren(
        make("p", {}, make("strong", {}, value === question.answer ? "Correct: " : "Not correct; the result is "), question.in_a_sentence),
        question.background && make("p", { className: "small" }, question.background),
        make("div", { className: "scroll" }, make("table", {}, make("tbody", {}, ...why.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", {}, cell))))))),
        make("div", { className: "tools" },
          further,
          make("button", { onclick: () => on.load(question, question.timeline) }, "Show it on the timeline"),
          question.twin && make("button", { onclick: () => on.load(question, question.twin) }, "Show the contrasting case"),
          make("span", { className: "small" }, `${right} of ${answered} correct`)));
      further.focus({ preventScroll: true });
    }

    const hinted = make("p", { role: "status", id: "quiz-hint" });
    const hint = make("button", { onclick: () => { hinted.textContent = `Hint: ${question.hint}`; } }, "Hint");
    const drawn = sketch(question.sketch);
    drawn.setAttribute("width", "480");
    drawn.setAttribute("height", "96");
    container.replaceChildren(
      make("p", {}, make("strong", {}, `${named(question.label, question.endpoint)}, ${question.definition}. `), question.says),
      drawn,
      make("p", { className: "preline", id: "quiz-line" }, question.timeline),
      make("div", { className: "choices", role: "group", "aria-label": "The result" }, ...choices, hint),
      hinted,
      grade);
    return null;
  }

  function begin(trouble = "") {
    container.replaceChildren(
      make("p", {}, "Each question shows a timeline and an endpoint of the definition above. One observation decides: what is the result?"),
      make("div", { className: "tools" },
        make("button", { onclick: next }, "Start"),
        make("label", { className: "tick" }, make("input", { type: "checkbox", checked: hard, onchange: (event) => { hard = event.target.checked; } }), "Ask only hard questions, on which two interpretations of the source differ")),
      make("p", { role: "status" }, trouble));
  }

  begin();
}
