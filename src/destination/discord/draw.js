// How Discord shows a message with embeds; after docs/gallery/markup.js.

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

DRAW.discord = drawDiscord;
