// A webhook's body in one line, and whole when it is opened.

function drawWebhook(post) {
  const { body, webhook_id: id, signature } = post.content;
  const review = (body && body.data && body.data.review) || {};
  const stars = review.rating === null || review.rating === undefined ? "?" : review.rating;
  const gist = make("span", "gist", `${stars}/5 · ${text(review.platform || review.source)} · ${text(review.author || "Anonymous customer")}`);
  const details = make("details", "", make("summary", "", make("span", "type", text(body && body.type)), gist, clock(post.at)));
  // Drawn when opened: nobody opens most of them.
  details.addEventListener("toggle", () => {
    if (details.open && !details.querySelector("pre")) {
      const head = signature ? make("span", "signature", `webhook-id: ${id}\nwebhook-signature: ${signature}\n\n`) : null;
      details.append(make("pre", "", head, JSON.stringify(body, null, 2)));
    }
  });
  return details;
}

DRAW.webhook = drawWebhook;
