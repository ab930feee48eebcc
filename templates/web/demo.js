// The demo page: asks for news and draws it, messages by the scripts of their kinds. Texts are hostile: they only ever become text nodes.
"use strict";

const places = JSON.parse(document.body.dataset.places);
const byId = (id) => document.getElementById(id);

// ---- reviews ----------------------------------------------------------------------------------------------

const byName = new Map(places.map((place) => [place.name, place]));

function rating(review) {
  const value = review.rating;
  if (value === null) return make("span", "rating", "rating unknown");
  const mood = value <= 2 ? "bad" : value < 4 ? "middle" : "fine";
  const full = Math.round(value);
  const stars = make("span", "stars", "★".repeat(full) + "☆".repeat(5 - full));
  stars.setAttribute("aria-hidden", "true");
  return make("span", `rating ${mood}`, stars, ` ${value}/5`, review.native ? make("span", "native", ` (${review.native})`) : null);
}

function step(delivery) {
  const place = byName.get(delivery.destination);
  const name = place ? place.title : delivery.destination;
  let [sign, state] = ["waiting", "pending"];
  if (delivery.state === "delivered") [sign, state] = ["done", "delivered"];
  else if (delivery.state === "dead") [sign, state] = ["dead", "gave up"];
  else if (delivery.state === "pending" && delivery.attempts > 0) {
    const wait = delivery.wait === null ? 0 : Math.ceil(delivery.wait / 1000);
    [sign, state] = ["retry", wait > 0 ? `failed, retry in ${wait} s` : "failed, retrying"];
  } else if (delivery.state !== "pending") state = delivery.state;
  else if (place && place.digest) state = "in the next digest";
  const tries = delivery.state === "delivered" && delivery.attempts > 1 ? ` after ${delivery.attempts} attempts` : "";
  const dot = make("span", `sign ${sign}`);
  dot.setAttribute("aria-hidden", "true");
  const words = sign === "done" ? tries : state === "pending" ? "" : ` ${state}`;
  const element = make("span", `step ${sign}`, dot, make("b", "", name), words || make("span", "unseen", ` ${state}`));
  element.title = `${name}: ${state}${tries}. ${delivery.rules.map((hit) => `“${hit.rule}”`).join(", ")}`;
  return element;
}

function why(review) {
  const rules = new Set(review.deliveries.flatMap((delivery) => delivery.rules.map((hit) => hit.rule)));
  return rules.size ? [...rules].join(" · ") : review.state === "matched" ? "" : review.state;
}

function drawReview(review) {
  const where = [review.platform, ...list(review.websites).slice(0, 1)].filter(Boolean).join(" · ");
  const more = list(review.websites).length - 1;
  const age = make("span", "age");
  const head = make("div", "head", rating(review), make("span", "where", where + (more > 0 ? ` and ${more} more` : "")), age);
  if (review.revision > 1) head.insertBefore(make("span", "edited", "edited"), age);
  const author = make("span", "by", ` — ${review.author || "Anonymous customer"}`);
  const said = make("p", review.text ? "said" : "said nothing", review.text || "Rating only, no comment", author);
  said.dir = "auto";
  const mark = make("span", review.marked ? "mark done" : "mark", review.marked ? make("span", "tick") : null, review.marked ? "read" : "unread");
  return make("li", "review", head, said, make("div", "steps", ...review.deliveries.map(step), mark), make("p", "why", why(review)));
}

const drawn = new Map();

function drawReviews(reviews, first) {
  const box = byId("reviews");
  const known = new Set(reviews.map((review) => review.uuid));
  for (const [uuid, entry] of drawn) {
    if (!known.has(uuid)) { entry.element.remove(); drawn.delete(uuid); }
  }
  let before = null;
  for (const review of reviews) {
    const age = review.age;
    // What changes all the time must not redraw the whole row.
    const key = JSON.stringify({ ...review, age: 0 });
    let entry = drawn.get(review.uuid);
    if (!entry || entry.key !== key) {
      const element = drawReview(review);
      if (!entry && !first) element.classList.add("fresh");
      if (entry) entry.element.replaceWith(element);
      entry = { key, element };
      drawn.set(review.uuid, entry);
    }
    const place = before ? before.nextSibling : box.firstChild;
    if (place !== entry.element) box.insertBefore(entry.element, place);
    before = entry.element;
    const seconds = Math.floor(age / 1000);
    const shown = seconds < 2 ? "now" : seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
    const ageBox = entry.element.querySelector(".age");
    if (ageBox.textContent !== shown) ageBox.textContent = shown;
  }
}

// ---- mail -------------------------------------------------------------------------------------------------

function openMail(place, post, chosen) {
  for (const button of place.list.children) button.setAttribute("aria-current", String(button === chosen));
  const { from, to, subject, text: plain, html } = post.content;
  const envelope = make("div", "envelope", make("b", "", subject), `${from} → ${to}`);
  let body = make("pre", "scroll", text(plain));
  if (html) {
    body = make("iframe");
    body.setAttribute("sandbox", "");
    body.title = `Mail: ${subject}`;
    body.src = `/mail/${post.id}`;
  }
  place.open.replaceChildren(envelope, body);
  place.current = post.id;
}

function drawMail(place, post) {
  const button = make("button", "", make("span", "from", make("span", "", post.content.from.replace(/\s*<.*/, "")), clock(post.at)), make("span", "subject", post.content.subject));
  button.type = "button";
  button.addEventListener("click", () => { place.picked = true; openMail(place, post, button); });
  place.list.prepend(button);
  // A reader who picked one keeps it open.
  if (!place.picked) openMail(place, post, button);
}

// ---- windows ----------------------------------------------------------------------------------------------

const KINDS = {
  slack: { label: "Slack", draw: DRAW.slack, newest: "bottom" },
  teams: { label: "Microsoft Teams", draw: DRAW.teams, newest: "bottom" },
  webhook: { label: "signed webhook", draw: DRAW.webhook, newest: "top" },
  email: { label: "mailbox", newest: "top" },
};
const SHOWN = 30;
const windows = new Map();

function drawWindows() {
  const order = Object.keys(KINDS);
  const box = byId("windows");
  for (const place of [...places].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))) {
    const kind = KINDS[place.kind];
    const key = place.kind === "email" ? "email" : `${place.kind}/${place.name}`;
    // All mail is in one mailbox.
    if (!kind || windows.has(key)) continue;
    const title = place.kind === "email" ? "Inbox" : place.title;
    const head = make("header", "", make("h3", "", title), make("span", "kind", kind.label));
    const scroll = make("div", "scroll", make("p", "empty", "Nothing yet."));
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "log");
    scroll.setAttribute("aria-live", "off");
    scroll.setAttribute("aria-label", `${kind.label} ${title}`);
    const element = make("section", `window ${place.kind}`, head);
    const entry = { kind, element, scroll, name: place.name };
    if (place.kind === "email") {
      entry.list = make("div", "list scroll");
      entry.open = make("div", "open", make("p", "empty", "No mail yet."));
      element.classList.add("wide");
      element.append(make("div", "split", entry.list, entry.open));
    } else element.append(scroll);
    box.append(element);
    windows.set(key, entry);
  }
}

function drawPost(post, first) {
  const entry = windows.get(post.kind === "email" ? "email" : `${post.kind}/${post.destination}`);
  if (!entry) return;
  if (post.kind === "email") {
    drawMail(entry, post);
    while (entry.list.children.length > SHOWN) entry.list.lastChild.remove();
    return;
  }
  const { scroll } = entry;
  const empty = scroll.querySelector(":scope > .empty");
  if (empty) empty.remove();
  const element = entry.kind.draw(post);
  if (!first) element.classList.add("fresh");
  if (entry.kind.newest === "top") {
    scroll.prepend(element);
    if (scroll.children.length > SHOWN) scroll.lastChild.remove();
    return;
  }
  // Follows the newest, unless somebody reads further up.
  const follows = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60;
  scroll.append(element);
  if (scroll.children.length > SHOWN) scroll.firstChild.remove();
  if (follows || first) scroll.scrollTop = scroll.scrollHeight;
}

// ---- news -------------------------------------------------------------------------------------------------

let [run, after, paused, wasOut] = [null, 0, false, false];

function say(words, good) {
  const notice = byId("notice");
  if (notice.textContent !== words) notice.textContent = words;
  notice.classList.toggle("good", Boolean(good));
  notice.hidden = !words;
}

function announce(news) {
  const out = news.out_until !== null;
  if (out) say("Simulated outage: Slack answers 503 for a moment. Failed messages will be retried.");
  else if (wasOut) {
    say("Slack works again. Pending messages are being sent.", true);
    setTimeout(() => { if (!wasOut) say(""); }, 8000);
  }
  wasOut = out;
  for (const [name, entry] of windows) entry.element.classList.toggle("out", out && name.startsWith("slack/"));
}

function draw(news) {
  const first = run === null;
  if (!first && run !== news.run) { location.reload(); return; }
  run = news.run;
  const figures = { seen: news.seen, unread: news.unread, ...news.tally };
  for (const [name, value] of Object.entries(figures)) {
    const box = byId(`n-${name}`);
    if (box) box.textContent = Number(value).toLocaleString("en");
  }
  byId("n-lost").parentElement.classList.toggle("some", news.tally.lost > 0);
  drawReviews(news.reviews, first);
  for (const post of news.posts) {
    drawPost(post, first);
    after = Math.max(after, post.id);
  }
  announce(news);
}

async function ask() {
  if (!paused && !document.hidden) {
    try {
      const answer = await fetch(`/feed?after=${after}`, { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      const news = await answer.json();
      if (!paused) draw(news);
    } catch (error) {
      console.error(error);
      say("The demo has stopped. To start it again, run: review-bridge demo");
    }
  }
  setTimeout(ask, 700);
}

byId("pause").addEventListener("click", (event) => {
  paused = !paused;
  event.currentTarget.setAttribute("aria-pressed", String(paused));
  event.currentTarget.textContent = paused ? "Resume" : "Pause";
});

drawWindows();
ask();
