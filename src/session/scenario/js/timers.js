// Timers.

const { extend, on } = part("core");

const MOST_TIMERS = 100;
const timers = new Map();
let lastTimer = 0;

function setTimer(name, every, callback, delay, args) {
  if (typeof callback !== "function") throw new TypeError(`${name}: the callback is no function`);
  if (timers.size >= MOST_TIMERS) host.breach(`more than ${MOST_TIMERS} timers`);
  const after = Math.max(every ? 10 : 0, Number(delay) || 0);
  const handle = ++lastTimer;
  timers.set(handle, { callback, args, every: every ? after : null });
  host.setTimer(handle, after);
  return handle;
}

function clearTimer(handle) {
  if (timers.delete(handle)) host.clearTimer(handle);
}

extend(globalThis, {
  setTimeout: (callback, delay, ...args) => setTimer("setTimeout", false, callback, delay, args),
  setInterval: (callback, delay, ...args) => setTimer("setInterval", true, callback, delay, args),
  clearTimeout: clearTimer,
  clearInterval: clearTimer,
});

extend(on, {
  timer(handle) {
    // Those of scripts have higher numbers.
    if (handle === 0) return part("refusals").tellRefusals();
    const timer = timers.get(handle);
    if (!timer) return;
    if (timer.every === null) timers.delete(handle);
    else host.setTimer(handle, timer.every);
    timer.callback(...timer.args);
  },
});

return { setTimer, clearTimer };
