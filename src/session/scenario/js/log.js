// The log.

const { watch, extend } = part("core");

/** As a log shows it: errors with their place. */
function shown(value) {
  if (value instanceof Error) return value.stack ? `${value}\n${value.stack}` : String(value);
  try { return String(value); } catch { return Object.prototype.toString.call(value); }
}

extend(globalThis, { Logger: watch("Logger", { write(value) { host.log(shown(value)); } }) });
