// How Google Chat shows a message with a card; after docs/gallery/markup.js.

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

DRAW.google_chat = drawGoogleChat;
