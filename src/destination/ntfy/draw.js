// How a telephone shows a message of ntfy: a notification of plain text.

function drawNotification(post) {
  const { title, message: said, click, priority } = post.content.body;
  const urgent = make("span", priority >= 4 ? "ping" : "app", ["", "min", "low", "default", "high", "max"][priority]);
  const byline = make("div", "byline", make("b", "", "ntfy"), urgent, clock(post.at));
  const lines = text(said).split("\n").map((line) => make("div", "block", line));
  const open = click ? make("div", "block", link("Open", click)) : null;
  return make("article", "message", make("div", "avatar", "n"), make("div", "", byline, make("div", "block-header", text(title)), ...lines, open));
}

DRAW.ntfy = drawNotification;
