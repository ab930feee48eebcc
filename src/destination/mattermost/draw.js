// How Mattermost shows a message with attachments; after docs/gallery/markup.js.

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

DRAW.mattermost = drawMattermost;
