// What the scripts of all kinds draw messages with, for the demo's page and docs/gallery: src/destination/KIND/draw.js.
// Texts are hostile: they only ever become text nodes.
"use strict";

/** An element with a class and children; texts become text nodes. */
function make(tag, name, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** A link, where it is one of the web; else its text. */
function link(text, url) {
  if (!/^https?:\/\//i.test(String(url))) return make("span", "", text);
  const element = make("a", "", text);
  element.href = url;
  element.target = "_blank";
  element.rel = "noopener noreferrer";
  return element;
}

function clock(at) {
  const element = make("time", "", new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }));
  element.dateTime = new Date(at).toISOString();
  return element;
}

const list = (value) => (Array.isArray(value) ? value : []);
const text = (value) => (value === null || value === undefined ? "" : String(value));

/** How each kind's messages are drawn, by its name; its own script says so. */
const DRAW = {};
