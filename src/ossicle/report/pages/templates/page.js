"use strict";
(() => {
  let playing = null;
  const stop = () => {
    if (!playing) return;
    playing.sound.pause();
    playing.button.textContent = "▶";
    playing.button.setAttribute("aria-pressed", "false");
    playing.cursor.style.visibility = "hidden";
    playing = null;
  };
  const follow = () => {
    if (!playing) return;
    const { sound, cursor, left, right } = playing;
    const share = sound.duration ? sound.currentTime / sound.duration : 0;
    cursor.style.left = `${100 * (left + share * (right - left))}%`;
    requestAnimationFrame(follow);
  };
  const play = (card, share) => {
    stop();
    playing = card;
    card.button.textContent = "■";
    card.button.setAttribute("aria-pressed", "true");
    card.cursor.style.visibility = "visible";
    const seek = () => { card.sound.currentTime = share * card.sound.duration; };
    if (card.sound.readyState > 0) seek();
    else card.sound.addEventListener("loadedmetadata", seek, { once: true });
    card.sound.play().catch(() => { if (playing === card) stop(); });
    follow();
  };
  for (const element of document.querySelectorAll(".card")) {
    const sound = element.querySelector("audio");
    if (!sound) continue;
    const stage = element.querySelector(".stage");
    const card = {
      sound,
      button: element.querySelector("button"),
      cursor: element.querySelector(".cursor"),
      left: Number(element.dataset.left),
      right: Number(element.dataset.right),
    };
    sound.addEventListener("ended", stop);
    card.button.addEventListener("click", () => (playing === card ? stop() : play(card, 0)));
    stage.classList.add("heard");
    stage.addEventListener("click", (event) => {
      const box = stage.getBoundingClientRect();
      const at = ((event.clientX - box.left) / box.width - card.left) / (card.right - card.left);
      play(card, Math.min(Math.max(at, 0), 0.99));
    });
  }
  addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details")) one.open = true;
  });
  document.documentElement.dataset.ready = "yes";
})();
