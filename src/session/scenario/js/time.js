// The time. It stands still while a callback runs: the gateway says what it is.

const { extend, PAGE } = part("core");

host.addDate();
const SystemDate = Date;
globalThis.Date = class Date extends SystemDate {
  constructor(...when) {
    if (when.length) super(...when);
    else super(host.now());
  }
  static now() { return host.now(); }
};

extend(globalThis, {
  /** The date whose UTC parts show the time of a place, by its offset: "+02:00", "UTC", or minutes. */
  getLocalTime(zone = "UTC") {
    let minutes = 0;
    const offset = /^(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?$/.exec(String(zone));
    if (typeof zone === "number") minutes = zone;
    else if (offset) minutes = (offset[1] === "-" ? -1 : 1) * (Number(offset[2]) * 60 + Number(offset[3] ?? 0));
    else if (!/^(UTC|GMT|Z)$/.test(zone)) throw new RangeError(`getLocalTime: ${zone} is no offset: ${PAGE}`);
    return new SystemDate(host.now() + minutes * 60000);
  },
});
