// Event handler attributes: https://html.spec.whatwg.org/multipage/webappapis.html#event-handler-attributes

export const eventHandlers = (type, ...names) => {
  for (const name of names) {
    const handlers = new WeakMap();
    Object.defineProperty(type.prototype, `on${name}`, {
      get() {
        return handlers.get(this)?.handler ?? null;
      },
      set(handler) {
        let slot = handlers.get(this);
        if (!slot) handlers.set(this, (slot = (event) => slot.handler?.call(this, event)));
        slot.handler = typeof handler === "function" ? handler : null;
        this[slot.handler ? "addEventListener" : "removeEventListener"](name, slot);
      },
    });
  }
};
