// Renders the cards and loads the mails that the page holds, and leaves what became of them as JSON in #report.
"use strict";

// Where a frame finds it.
window.trapped = [];
window.alert = (text) => trapped.push(String(text));

/** What is in `root`: the names of its elements, where they lead or load from, and what could run. */
function seen(root) {
  const elements = [...root.querySelectorAll("*")];
  const attributes = elements.flatMap((element) => [...element.attributes].map((attribute) => [attribute.name.toLowerCase(), attribute.value]));
  const named = (names) => attributes.filter(([name]) => names.includes(name)).map(([, value]) => value);
  const styles = [...named(["style"]), ...[...root.querySelectorAll("style")].map((style) => style.textContent)];
  return {
    tags: [...new Set(elements.map((element) => element.localName))],
    links: named(["href", "action", "formaction", "xlink:href"]),
    loads: [...named(["src", "srcset", "background", "poster", "data"]), ...styles.filter((style) => /url\(|@import|image-set/i.test(style))],
    handlers: attributes.map(([name]) => name).filter((name) => name.startsWith("on")),
  };
}

// Everything a Markdown processor can be asked for: what could be formatted, is.
const markdown = window.markdownit({ html: true, linkify: true });
AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
  result.outputHtml = markdown.render(text);
  result.didProcess = true;
};

function render({ name, card: json }) {
  const card = new AdaptiveCards.AdaptiveCard();
  card.hostConfig = new AdaptiveCards.HostConfig({ supportsInteractivity: true });
  const [pressed, problems] = [[], []];
  card.onExecuteAction = (action) => pressed.push(String(action.url));
  const context = new AdaptiveCards.SerializationContext(AdaptiveCards.Versions.v1_5);
  card.parse(json, context);
  for (let index = 0; index < context.eventCount; index += 1) problems.push(context.getEventAt(index).message);
  problems.push(...card.validateProperties().validationEvents.map((event) => event.message));
  const element = card.render();
  if (!element) return { name, problems: [...problems, "nothing was rendered"] };
  document.getElementById("cards").append(element);
  const facts = { name, problems, text: element.textContent, ...seen(element) };
  for (const button of element.querySelectorAll("button, a, [role=button]")) button.click();
  return { ...facts, pressed };
}

/** A mail in a frame as wide as a telephone, which may run and load all that the mail holds. */
function open({ name, html }) {
  const frame = document.createElement("iframe");
  frame.name = name;
  frame.width = 360;
  frame.height = 640;
  frame.style.border = "0";
  frame.sandbox = "allow-scripts allow-same-origin";
  const trap = `<head><script>window.alert = () => parent.trapped.push(window.name);</script>`;
  frame.srcdoc = html.replace("<head>", trap);
  document.getElementById("mails").append(frame);
  return frame;
}

function read(frame) {
  const { contentDocument: page, contentWindow: view } = frame;
  const requests = view.performance.getEntriesByType("resource").map((entry) => entry.name);
  const text = page.body.textContent;
  return { name: frame.name, text, width: page.documentElement.scrollWidth, scripts: page.scripts.length, requests, ...seen(page) };
}

/** JSON in ASCII without what HTML would write in another way. */
function plain(value) {
  return JSON.stringify(value).replace(/[^ -~]|[<>&]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const cases = JSON.parse(document.getElementById("cases").textContent);
const cards = cases.cards.map(render);
const frames = cases.mails.map(open);
window.addEventListener("load", () => {
  const report = plain({ cards, mails: frames.map(read), trapped });
  document.body.replaceChildren(Object.assign(document.createElement("pre"), { id: "report", textContent: report }));
});
