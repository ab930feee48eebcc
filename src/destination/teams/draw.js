// How Teams shows a message: by Microsoft's renderer where the page has it, else by hand.

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

DRAW.teams = (post) => (window.AdaptiveCards ? drawCard(post) : drawTeams(post));
