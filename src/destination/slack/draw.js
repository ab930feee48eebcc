// How Slack shows a message of Block Kit.

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

DRAW.slack = drawSlack;
