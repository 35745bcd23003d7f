/** Brings the page to life: its cards, the connections that they share, and the key. */

import { Card } from "./card.js";
import { Slots } from "./slots.js";

/** A browser has six connections to a server of HTTP/1.1; one stays free, for the page itself. */
const CONNECTIONS = 5;

/** The API key, kept for as long as the page is open. */
class Keyring {
  #field = document.querySelector("#key-field");

  get needed() {
    return document.body.dataset.needsKey === "yes";
  }

  get key() {
    return this.needed ? this.#field.value : null;
  }

  ask() {
    this.#field?.focus();
    this.#field?.reportValidity();
  }
}

const keyring = new Keyring();
const slots = new Slots(CONNECTIONS);

document.querySelector("#key")?.addEventListener("submit", (event) => event.preventDefault());
for (const section of document.querySelectorAll(".group")) {
  const cards = Array.from(section.querySelectorAll(".card"), (element) => new Card(element, slots, keyring));
  const all = section.querySelector(".all");
  const isPlaying = () => cards.some((card) => card.isPlaying);
  all.disabled = false;
  section.addEventListener("playing", () => (all.textContent = isPlaying() ? "Stop all" : "Play all"));
  all.addEventListener("click", () => {
    if (isPlaying()) cards.forEach((card) => card.stop());
    else cards.filter((card) => card.playable).forEach((card) => card.play());
  });
}
