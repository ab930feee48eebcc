// What the gallery draws markup with: HTML and Markdown as elements, and the frame of a chat's message. After
// templates/web/draw.js, before the scripts of the kinds.
"use strict";

/** The elements that formatted text may be made of. */
const FORMATS = ["P", "BR", "B", "STRONG", "I", "EM", "U", "S", "STRIKE", "CODE", "PRE", "BLOCKQUOTE", "UL", "OL", "LI", "SPAN", "FONT"];

/** HTML as elements: those of FORMATS with a colour at most, links of the web, and of all others the text. */
function formatted(html, name) {
  const copy = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.textContent;
    const inner = [...node.childNodes].map(copy);
    if (node.nodeName === "A") {
      const element = link("", node.getAttribute("href"));
      element.replaceChildren(...inner);
      return element;
    }
    const element = make(FORMATS.includes(node.nodeName) ? node.nodeName : "span", "", ...inner);
    if (node.nodeName === "FONT") element.style.color = colour(node.getAttribute("color"));
    return element;
  };
  const page = new DOMParser().parseFromString(html, "text/html");
  return make("div", name, ...[...page.body.childNodes].map(copy));
}

const markdown = window.markdownit({ html: false, breaks: true });
// `>>>` quotes all that follows: elsewhere that is `>` on each line.
const quoted = (value) => value.replace(/^>>> ([^]*)$/m, (_, rest) => rest.replace(/^/gm, "> "));
const marked = (value, name) => (value ? formatted(markdown.render(quoted(text(value))), name) : null);

function message(avatar, name, post, ...content) {
  const byline = make("div", "byline", make("b", "", name), make("span", "app", "APP"), clock(post.at));
  return make("article", "message", make("div", "avatar", avatar), make("div", "", byline, ...content));
}

/** A colour given as a number or as text; none where it is neither. */
function colour(value) {
  if (Number.isInteger(value)) return `#${value.toString(16).padStart(6, "0")}`;
  return /^#[0-9a-f]{3,6}$/i.test(text(value)) ? value : "";
}
