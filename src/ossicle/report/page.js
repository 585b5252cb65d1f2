"use strict";
(() => {
  let playing = null;
  const stop = () => {
    if (!playing) return;
    playing.sound.pause();
    playing.button.textContent = "▶";
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
  for (const card of document.querySelectorAll(".card")) {
    const button = card.querySelector("button");
    const sound = card.querySelector("audio");
    const cursor = card.querySelector(".cursor");
    sound.addEventListener("ended", stop);
    button.addEventListener("click", () => {
      const again = playing && playing.sound === sound;
      stop();
      if (again) return;
      sound.currentTime = 0;
      sound.play();
      playing = { sound, button, cursor, left: Number(card.dataset.left), right: Number(card.dataset.right) };
      button.textContent = "■";
      cursor.style.visibility = "visible";
      follow();
    });
  }
  document.documentElement.dataset.ready = "yes";
})();
