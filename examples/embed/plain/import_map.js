// Makes the element by script. `hola-webrtc/element` is what the page's import map says.

import { HolaWebrtcElement } from "hola-webrtc/element";

const lesson = new HolaWebrtcElement();
lesson.mode = "lesson";
lesson.src = "https://localhost:8443/";
lesson.addEventListener("open", ({ detail }) => console.log("session", detail.session.id));
document.body.append(lesson);
