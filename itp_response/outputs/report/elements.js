"use strict";
// Making elements. Texts of a study are only ever set as text, never as markup.

const built = (element, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) if (value !== null) element.setAttribute(name, value);
  element.append(...children.flat().filter((child) => child !== null && child !== ""));
  return element;
};
const make = (name, attributes = {}, ...children) => built(document.createElement(name), attributes, children);
const draw = (name, attributes = {}, ...children) =>
  built(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);

// A name that may be broken after each of its underscores.
const breakable = (name) =>
  name.split("_").flatMap((part, place) => (place ? ["_", make("wbr"), part] : [part]));
const counted = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
// A count is a number, or [low, high, as written] where it is only a bound, or null.
const countInWords = (count) => (count === null ? "" : Array.isArray(count) ? count[2] : String(count));
const rescueInWords = ([first, last, name]) =>
  `${name || "rescue"}${last > first ? `, day ${first} to ${last}` : ""}`;
