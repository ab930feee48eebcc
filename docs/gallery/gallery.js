// Draws the pictures of the gallery, after templates/web/draw.js: all of them, or the one that the address names
// behind `#`. Says in #sizes how large each is: docs/gallery/make.sh takes the pictures with it.
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

// ---- Teams: Microsoft's renderer --------------------------------------------------------------------------

const shade = (ink, soft) => ({ default: ink, subtle: soft || ink });
const INKS = {
  default: shade("#242424", "#616161"), dark: shade("#242424"), light: shade("#616161"), accent: shade("#5b5fc7"),
  attention: shade("#c4314b"), warning: shade("#8a5a00"), good: shade("#237b4b"),
};
const HOST = {
  fontFamily: "inherit",
  fontSizes: { small: 12, default: 14, medium: 16, large: 18, extraLarge: 24 },
  fontWeights: { lighter: 300, default: 400, bolder: 600 },
  lineHeights: { small: 16, default: 20, medium: 22, large: 24, extraLarge: 32 },
  fontTypes: { default: { fontFamily: "inherit" }, monospace: { fontFamily: "'DejaVu Sans Mono', Consolas, monospace" } },
  containerStyles: {
    default: { backgroundColor: "#ffffff", foregroundColors: INKS },
    emphasis: { backgroundColor: "#f3f2f1", foregroundColors: INKS },
    attention: { backgroundColor: "#fcf4f6", foregroundColors: INKS },
    warning: { backgroundColor: "#fbf6d9", foregroundColors: INKS },
    good: { backgroundColor: "#e7f2da", foregroundColors: INKS },
    accent: { backgroundColor: "#ebebff", foregroundColors: INKS },
  },
  spacing: { small: 4, default: 10, medium: 16, large: 24, extraLarge: 32, padding: 14 },
  actions: { actionsOrientation: "horizontal", actionAlignment: "left", buttonSpacing: 8 },
};

function drawCard(post) {
  const card = new AdaptiveCards.AdaptiveCard();
  card.hostConfig = new AdaptiveCards.HostConfig(HOST);
  card.parse(list(post.content.body.attachments)[0].content, new AdaptiveCards.SerializationContext(AdaptiveCards.Versions.v1_5));
  return message("W", "Workflows", post, make("div", "frame", card.render()));
}

// ---- Discord: embeds --------------------------------------------------------------------------------------

function drawEmbed(embed) {
  const named = markdown.renderInline(text(embed.title));
  const title = embed.title ? make("div", "title", embed.url ? link("", embed.url) : make("span")) : null;
  if (title) title.firstChild.innerHTML = named;
  const fields = list(embed.fields).map((field) => {
    return make("div", field.inline ? "field inline" : "field", make("b", "", text(field.name)), marked(field.value));
  });
  const foot = embed.footer ? make("div", "foot", text(embed.footer.text)) : null;
  const box = make("div", "embed", title, marked(embed.description), fields.length ? make("div", "fields", ...fields) : null, foot);
  box.style.borderColor = colour(embed.color);
  return box;
}

function drawDiscord(post) {
  const { content, embeds } = post.content.body;
  return message("R", "Review Bridge", post, marked(content), ...list(embeds).map(drawEmbed));
}

// ---- Google Chat: cards -----------------------------------------------------------------------------------

function drawWidget(widget) {
  const { textParagraph, decoratedText, buttonList, divider } = widget;
  if (textParagraph) return formatted(text(textParagraph.text).replaceAll("\n", "<br>"), "paragraph");
  if (decoratedText) {
    const label = (value) => (value ? formatted(text(value), "label") : null);
    return make("div", "decorated", label(decoratedText.topLabel), formatted(text(decoratedText.text), ""), label(decoratedText.bottomLabel));
  }
  if (buttonList) {
    return make("div", "buttons", ...list(buttonList.buttons).map((button) => link(text(button.text), button.onClick.openLink.url)));
  }
  return divider ? make("hr") : make("p", "label", `[${Object.keys(widget).join()}]`);
}

function drawGoogleCard({ card }) {
  const { header } = card;
  const head = header ? make("div", "head", make("b", "", text(header.title)), make("span", "label", text(header.subtitle))) : null;
  const section = (part) => make("div", "section", part.header ? formatted(text(part.header), "label") : null, ...list(part.widgets).map(drawWidget));
  return make("div", "frame", head, ...list(card.sections).map(section));
}

function drawGoogleChat(post) {
  const { text: said, cardsV2 } = post.content.body;
  return message("R", "Review Bridge", post, said ? make("p", "said", said) : null, ...list(cardsV2).map(drawGoogleCard));
}

// ---- Mattermost: attachments ------------------------------------------------------------------------------

function drawAttachment(part) {
  const title = part.title ? make("div", "title", part.title_link ? link(text(part.title), part.title_link) : text(part.title)) : null;
  const fields = list(part.fields).map((field) => make("div", field.short ? "field inline" : "field", make("b", "", text(field.title)), marked(field.value)));
  const foot = part.footer ? make("div", "foot", text(part.footer)) : null;
  const box = make("div", "attachment", marked(part.pretext), title, marked(part.text), fields.length ? make("div", "fields", ...fields) : null, foot);
  box.style.borderLeftColor = colour(part.color);
  return box;
}

function drawMattermost(post) {
  const body = post.content.body;
  return message("R", "review-bridge", post, marked(body.text), ...list(body.attachments).map(drawAttachment));
}

// ---- e-mail -----------------------------------------------------------------------------------------------

function mailFrame(post, scheme) {
  const frame = make("iframe");
  frame.sandbox = "allow-same-origin";
  frame.style.colorScheme = scheme;
  frame.srcdoc = post.content.html;
  return frame;
}

function drawMail(post) {
  const { from, to, subject } = post.content;
  const line = (name, value) => make("div", "", make("span", "label", name), value);
  return make("article", "mail", make("div", "envelope", make("b", "", subject), line("From", from), line("To", to)), mailFrame(post, "light"));
}

const drawTelephones = (post) => make("article", "telephones", mailFrame(post, "light"), mailFrame(post, "dark"));

// ---- pictures ---------------------------------------------------------------------------------------------

const DRAW = {
  slack: drawSlack, teams: drawCard, email: drawMail, telephone: drawTelephones,
  discord: drawDiscord, google_chat: drawGoogleChat, mattermost: drawMattermost,
};
/** A kind that nobody has drawn yet: its payload. */
const drawPayload = (post) => make("pre", "", JSON.stringify(post.content.body, null, 2));

const pictures = JSON.parse(document.getElementById("pictures").textContent);
const chosen = location.hash.slice(1);
const figures = pictures.filter((post) => !chosen || post.name === chosen).map((post) => {
  const figure = make("figure", post.kind, (DRAW[post.kind] || drawPayload)(post));
  figure.id = post.name;
  document.body.append(figure);
  return figure;
});
for (const time of document.querySelectorAll("time")) time.textContent = time.textContent.slice(0, 5);

window.addEventListener("load", () => {
  for (const frame of document.querySelectorAll("iframe")) frame.height = frame.contentDocument.documentElement.scrollHeight;
  const size = (figure) => `${figure.id} ${Math.ceil(figure.offsetWidth)} ${Math.ceil(figure.offsetHeight)}`;
  const sizes = make("pre", "", figures.map(size).join("\n"));
  sizes.id = "sizes";
  sizes.hidden = true;
  document.body.append(sizes);
});
