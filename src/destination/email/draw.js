// How a mail program shows a message, and a telephone by day and at night.

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

DRAW.email = drawMail;
DRAW.telephone = drawTelephones;
