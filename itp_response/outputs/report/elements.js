"use strict";
// Makes elements. A text of the study becomes a text node, never markup.

const filled = (element, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) if (value !== null) element.setAttribute(name, value);
  element.append(...children.flat().filter((child) => child !== null && child !== ""));
  return element;
};
const make = (name, attributes = {}, ...children) => filled(document.createElement(name), attributes, children);
const draw = (name, attributes = {}, ...children) =>
  filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);

// A name with a possible line break after each underscore.
const breakable = (name) =>
  name.split("_").flatMap((part, index) => (index ? ["_", make("wbr"), part] : [part]));
// An endpoint by its label, with its id; where the label is the id, it is named once.
const isNamedOnce = ({ label, name }) => label.toLowerCase() === name.replaceAll("_", " ").toLowerCase();
const named = (endpoint) => (isNamedOnce(endpoint) ? [endpoint.label] : [`${endpoint.label} (`, ...breakable(endpoint.name), ")"]);
const counted = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
// A count is a number, [low, high, as written] if it is censored, or null.
const countInWords = (count) => (count === null ? "" : Array.isArray(count) ? count[2] : String(count));
const rescueInWords = ([first, last, name]) =>
  `${name || "rescue"}${last > first ? `, day ${first} to ${last}` : ""}`;
