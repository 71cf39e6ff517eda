/* The tab's connection to the server (app/connection.py): questions about maps go out, and what is found comes in. It
   is opened when it is needed, and again after it was lost. */

(() => {
  const heard = {}; // what answers are about → who is told
  const mourners = []; // who are told that nothing more will come
  let socket = null;

  function open() {
    if (socket && socket.readyState <= WebSocket.OPEN) return;
    const address = new URL(`${window.lesionlens.root}/api/connection`, window.location.href);
    address.protocol = address.protocol.replace("http", "ws");
    socket = new WebSocket(address);
    socket.addEventListener("message", ({ data }) => {
      const { about, method, ...answer } = JSON.parse(data);
      heard[about](answer, method);
    });
    socket.addEventListener("close", () => mourners.forEach((told) => told()));
  }

  window.lesionlens.connection = {
    open,

    send(message) {
      open();
      const text = JSON.stringify(message);
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
      else socket.addEventListener("open", ({ target }) => target.send(text), { once: true });
    },

    /** `told(answer, method)` hears what is found `about` a map. */
    hear(about, told) {
      heard[about] = told;
    },

    /** `told()` hears that what was asked will not be answered. */
    lost(told) {
      mourners.push(told);
    },
  };
})();
