// Makes the element by a script that is no module. `hola-webrtc/element` is what the page's import map says.

import("hola-webrtc/element").then(({ HolaWebrtcElement }) => {
  const lesson = new HolaWebrtcElement();
  lesson.mode = "lesson";
  lesson.src = "https://localhost:8443/";
  lesson.addEventListener("open", ({ detail }) => console.log("session", detail.session.id));
  document.body.append(lesson);
});
