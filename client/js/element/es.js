// What the element says, in Spanish: the words of the page's lesson.

export const es = {
  name: "Conexión",
  start: "Conectar",
  again: "Conectar de nuevo",
  cancel: "Cancelar",
  close: "Cerrar",
  session: "sesión",
  sessionTitle: (id) => `El servidor llama así a esta sesión: ${id}`,
  status: {
    idle: "Sin conexión",
    connecting: "Conectando…",
    open: "Canal abierto",
    silent: "El servidor no contesta; quizá vuelva…",
    closed: "Conexión cerrada",
    failed: "No se pudo conectar",
    lost: "Conexión perdida",
    reconnecting: "Conectando de nuevo…",
  },
  openAfter: (time) => `Canal abierto en ${time}`,
  browser: "Navegador",
  server: "Servidor",
  steps: "Los ocho pasos",
  stepNumber: (number) => `Paso ${number}:`,
  actors: { browser: "lo da el navegador", server: "lo da el servidor", both: "lo dan ambos lados" },
  states: { pending: "pendiente", active: "en curso", done: "hecho", failed: "falló" },
  sinceStart: "desde el comienzo",
  took: (time) => `tardó ${time}`,
  specification: (name) => `Especificación: ${name} (se abre en otra pestaña)`,
  wires: { 5: "oferta", 6: "respuesta", 8: "canal de datos" },
  // Of each step: what it is called, and what happens in it.
  step: {
    1: [
      "Crear la conexión entre pares",
      "El navegador crea un RTCPeerConnection, el objeto que negocia la conexión y después la mantiene.",
    ],
    2: [
      "Crear el canal de datos",
      "Tiene que existir antes que la oferta: sin él, la oferta no pediría nada y su SDP no tendría la línea m=application.",
    ],
    3: [
      "Crear la oferta",
      "El navegador describe en SDP qué quiere y cómo: sus credenciales ICE, la huella de su certificado y el puerto SCTP.",
    ],
    4: [
      "Fijar la descripción local",
      "El navegador se compromete con su oferta, e ICE empieza a reunir candidatos: las direcciones en las que se le podría encontrar.",
    ],
    5: [
      "Enviar la oferta",
      "La oferta viaja al servidor por HTTPS. WebRTC no dice cómo debe llegar: serviría cualquier medio que lleve texto.",
    ],
    6: [
      "El servidor responde",
      "El servidor da los mismos pasos desde el otro lado y contesta con su propia descripción, que ya trae sus direcciones.",
    ],
    "6a": [
      "Crear su extremo",
      "Prepara el objeto que llevará esta conexión.",
    ],
    "6b": [
      "Fijar la descripción remota",
      "Lee en la oferta qué pide el navegador y cómo reconocerlo.",
    ],
    "6c": [
      "Añadir sus candidatos",
      "Anota sus direcciones: ya las conoce, no necesita buscarlas.",
    ],
    "6d": [
      "Crear la respuesta",
      "Escribe en SDP lo que acepta.",
    ],
    "6e": [
      "Fijar la descripción local",
      "Se compromete con su respuesta y la devuelve en la contestación HTTP.",
    ],
    7: [
      "Fijar la descripción remota",
      "El navegador incorpora la respuesta: ya conoce las direcciones, las credenciales y la huella del servidor.",
    ],
    8: [
      "Conectar",
      "Se levantan cuatro capas, una sobre otra: un camino, el cifrado, una asociación y el canal.",
    ],
    "8a": [
      "ICE: encontrar un camino",
      "Los dos lados prueban parejas de direcciones con mensajes STUN hasta que una funciona.",
    ],
    "8b": [
      "DTLS: acordar las claves",
      "Por ese camino acuerdan el cifrado y comprueban que el certificado del otro tiene la huella que decía su SDP.",
    ],
    "8c": [
      "SCTP: establecer la asociación",
      "Dentro del cifrado, SCTP separa los mensajes, los ordena y reenvía los que se pierden.",
    ],
    "8d": [
      "Abrir el canal",
      "El canal está listo: cualquiera de los dos puede hablar cuando quiera, como con un WebSocket.",
    ],
  },
  data: {
    offer: "Oferta (SDP)",
    answer: "Respuesta (SDP)",
    candidates: "Candidatos",
    type: "Tipo",
    address: "Dirección",
    transport: "Transporte",
    priority: "Prioridad",
    hidden: "(oculta)",
    hiddenNote: "El navegador oculta las direcciones de tu red: a una página cualquiera le da un nombre terminado en .local, o ninguno.",
    candidateFailures: "Servidores STUN o TURN sin candidato",
    request: "Petición",
    response: "Contestación",
    states: "Estados",
    when: "Cuándo",
    machine: "Qué cambia",
    state: "Estado",
    pair: "Pareja elegida",
    channel: "Canal",
    label: "Etiqueta",
    id: "Número",
    limit: "Mensaje máximo",
    unlimited: "sin límite",
    failure: "Qué falló",
    candidatesCount: (count) => `Candidatos (${count})`,
  },
  chat: {
    log: "Mensajes",
    empty: "Aquí aparecerán tus mensajes, su eco y lo que diga el servidor.",
    message: "Tu mensaje",
    placeholder: "Escribe un mensaje",
    send: "Enviar",
    me: "Tú",
    echo: "Eco",
    server: "Servidor",
    connecting: "Podrás escribir en cuanto se abra el canal.",
    closed: "El canal está cerrado: conecta de nuevo para seguir escribiendo.",
    binary: (size) => `${size} de datos binarios`,
    roundTrip: (time) => `${time} de ida y vuelta`,
    notSent: (cause) => `No se pudo enviar: ${cause}`,
  },
  // What went wrong: a title, and what to do about it.
  notice: {
    cause: "Detalle técnico",
    open: (url) => `Abrir ${url}`,
    unreachable: [
      "No se encuentra el servidor",
      ({ url }) => `Nadie contesta en ${url}. Comprueba que el servidor esté en marcha y que la dirección sea la correcta; después, conecta de nuevo.`,
    ],
    certificate: [
      "El navegador no pudo hablar con el servidor",
      ({ url }) => `O bien ${url} está apagado, o bien tu navegador todavía no acepta su certificado: un servidor de pruebas usa uno hecho por él mismo. Abre esa dirección en otra pestaña, acepta el certificado, vuelve aquí y conecta de nuevo. Si aun así no conecta, el servidor tiene que admitir páginas de otro origen (opción --allow-origin).`,
    ],
    refused: [
      "El servidor rechazó la oferta",
      ({ code, detail }) => `Esto es lo que dijo (${code}): ${detail}`,
    ],
    unavailable: [
      "El servidor rechazó la oferta",
      () => "No admite más sesiones por ahora. Espera unos segundos y conecta de nuevo.",
    ],
    "invalid-url": [
      "La conexión no llegó a abrirse",
      ({ url }) => `La dirección del servidor no es válida: ${url}. Tiene que ser como https://servidor:8443.`,
    ],
    "unexpected-reply": [
      "La conexión no llegó a abrirse",
      ({ url, status }) => `En ${url} contesta alguien, pero no con una respuesta a la oferta (HTTP ${status}). Comprueba que allí haya un servidor hola-webrtc.`,
    ],
    timeout: [
      "La conexión no llegó a abrirse",
      () => "No se abrió a tiempo. Comprueba que ningún cortafuegos bloquee UDP en el puerto del servidor y conecta de nuevo.",
    ],
    "ice-failed": [
      "La conexión no llegó a abrirse",
      () => "La respuesta llegó, pero no se encontró un camino UDP entre el navegador y el servidor. Suele deberse a un cortafuegos o a una VPN: ábrele paso a UDP en el puerto del servidor o prueba desde otra red.",
    ],
    "dtls-failed": [
      "La conexión no llegó a abrirse",
      () => "Se encontró un camino, pero no se pudo acordar el cifrado. Conecta de nuevo; si se repite, puede que algo entre ambos altere el tráfico.",
    ],
    other: [
      "La conexión no llegó a abrirse",
      ({ step }) => `Algo falló en el paso ${step}. Conecta de nuevo; si se repite, el detalle técnico dice dónde buscar.`,
    ],
    unsupported: [
      "Este navegador no ofrece WebRTC",
      () => "Usa una versión reciente de Firefox, Chrome, Edge o Safari, y comprueba que ninguna extensión ni ajuste lo desactive.",
    ],
    lost: [
      "Se perdió la conexión",
      () => "El servidor dejó de contestar: puede que se haya detenido o que se haya cortado la red. Comprueba que siga en marcha y conecta de nuevo.",
    ],
    remote: [
      "El servidor cerró la conexión",
      () => "Puede que se haya detenido o que haya dado la sesión por terminada. Conecta de nuevo cuando quieras.",
    ],
  },
};
