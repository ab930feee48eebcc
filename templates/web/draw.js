// Draws what chats are sent as they show it, for the demo's page and docs/gallery. Texts are hostile: they only ever
// become text nodes.
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

// ---- Slack: Block Kit -------------------------------------------------------------------------------------

const unescapeSlack = (value) => text(value).replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
const slackText = (object) => (object && object.type === "mrkdwn" ? unescapeSlack(object.text) : text(object && object.text));

function styled(element) {
  const style = element.style || {};
  let node = document.createTextNode(text(element.text));
  for (const [name, tag] of [["code", "code"], ["strike", "s"], ["italic", "em"], ["bold", "strong"]]) {
    if (style[name]) node = make(tag, "", node);
  }
  return node;
}

function richElement(element) {
  switch (element.type) {
    case "text": return styled(element);
    case "link": return link(text(element.text || element.url), element.url);
    case "broadcast": return make("span", "ping", `@${text(element.range)}`);
    case "user": return make("span", "ping", `@${text(element.user_id)}`);
    case "usergroup": return make("span", "ping", `@${text(element.usergroup_id)}`);
    case "emoji": return make("span", "", `:${text(element.name)}:`);
    default: return make("span", "", text(element.text));
  }
}

const RICH = { rich_text_quote: "blockquote", rich_text_preformatted: "pre" };

function slackBlock(block) {
  switch (block.type) {
    case "header": return make("div", "block-header", slackText(block.text));
    case "section": return make("div", "block", slackText(block.text), ...list(block.fields).map((field) => make("div", "", slackText(field))));
    case "context": return make("div", "context", ...list(block.elements).map((element) => make("div", "", slackText(element))));
    case "divider": return make("hr");
    case "rich_text": return make("div", "rich", ...list(block.elements).map((part) => {
      const box = part.type === "rich_text_list"
        ? make("ul", "", ...list(part.elements).map((item) => make("li", "", ...list(item.elements).map(richElement))))
        : make(RICH[part.type] || "div", part.type in RICH ? "" : "block", ...list(part.elements).map(richElement));
      box.dir = "auto";
      return box;
    }));
    default: return make("div", "context", `[${text(block.type)}]`);
  }
}

function drawSlack(post) {
  const payload = post.content.body;
  const byline = make("div", "byline", make("b", "", "Review Bridge"), make("span", "app", "APP"), clock(post.at));
  const blocks = list(payload.blocks).map(slackBlock);
  const body = blocks.length ? blocks : [make("div", "block", unescapeSlack(payload.text))];
  return make("article", "message", make("div", "avatar", "R"), make("div", "", byline, ...body));
}

// ---- Teams: Adaptive Card ---------------------------------------------------------------------------------

function look(element) {
  const names = [element.size, element.weight, element.color, element.style === "heading" ? "heading" : "", element.isSubtle ? "subtle" : "", element.italic ? "italic" : ""];
  return names.filter(Boolean).map((name) => String(name).toLowerCase().replace(/[^a-z]/g, "")).join(" ");
}

function cardElement(element) {
  switch (element.type) {
    case "TextBlock": {
      const block = make("p", look(element), text(element.text));
      block.dir = "auto";
      return block;
    }
    case "RichTextBlock": {
      const block = make("p", "", ...list(element.inlines).map((run) => (typeof run === "string" ? run : make("span", look(run), text(run.text)))));
      block.dir = "auto";
      return block;
    }
    case "FactSet": return make("dl", "facts", ...list(element.facts).flatMap((fact) => [make("dt", "", text(fact.title)), make("dd", "", text(fact.value))]));
    case "Container": return make("div", element.style ? `set boxed ${look({ color: element.style })}` : "set", ...list(element.items).map(cardElement));
    case "ColumnSet": return make("div", "columns", ...list(element.columns).map(cardElement));
    case "Column": return make("div", "column", ...list(element.items).map(cardElement));
    case "ActionSet": return actions(element.actions);
    default: return make("p", "subtle", `[${text(element.type)}]`);
  }
}

const actions = (all) => (list(all).length ? make("div", "actions", ...list(all).map((action) => link(text(action.title), action.url))) : null);

function drawTeams(post) {
  const attachment = list(post.content.body.attachments)[0];
  const card = (attachment && attachment.content) || {};
  const byline = make("div", "byline", make("b", "", "Workflows"), clock(post.at));
  return make("article", "message", make("div", "avatar", "W"), make("div", "", byline, make("div", "card", ...list(card.body).map(cardElement), actions(card.actions))));
}
