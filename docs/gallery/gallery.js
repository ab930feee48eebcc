// Draws the pictures of the gallery by the scripts of their kinds: all of them, or the one that the address names behind
// `#`. Says in #sizes how large each is: docs/gallery/make.sh takes the pictures with it.
"use strict";

/** A kind that nobody has drawn yet: its payload. */
const drawPayload = (post) => make("pre", "", JSON.stringify(post.content.body, null, 2));

const pictures = JSON.parse(document.getElementById("pictures").textContent);
const chosen = location.hash.slice(1);
const figures = pictures.filter((post) => !chosen || post.name === chosen).map((post) => {
  const figure = make("figure", post.kind, (DRAW[post.kind] || drawPayload)(post));
  figure.id = post.name;
  document.body.append(figure);
  return figure;
});
for (const time of document.querySelectorAll("time")) time.textContent = time.textContent.slice(0, 5);

window.addEventListener("load", () => {
  for (const frame of document.querySelectorAll("iframe")) frame.height = frame.contentDocument.documentElement.scrollHeight;
  const size = (figure) => `${figure.id} ${Math.ceil(figure.offsetWidth)} ${Math.ceil(figure.offsetHeight)}`;
  const sizes = make("pre", "", figures.map(size).join("\n"));
  sizes.id = "sizes";
  sizes.hidden = true;
  document.body.append(sizes);
});
