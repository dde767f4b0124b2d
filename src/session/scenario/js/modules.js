// Modules: all that exist are there from the start.

const { host, extend } = part("core");

const names = ["conference", "player", "recorder", "applicationstorage", "websocket", "crypto"];

extend(globalThis, {
  /** Loads a module. One that does not exist is an error. */
  require(name) {
    if (!names.includes(name)) host.absent(`the module ${name}`);
  },
});
