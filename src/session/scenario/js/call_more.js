// What few scenarios do with a call.

const { extend, inner, text, Call, unit, ask, handleOf } = part("core");

extend(Call.prototype, {
  headers() { return { ...this[inner].headers }; },
  state() { return this[inner].state; },
  customData(data) {
    if (data !== undefined) this[inner].customData = text(data);
    return this[inner].customData;
  },
  toString() { return this.id(); },

  ring() { ask(this, "ring"); },
  startEarlyMedia() { ask(this, "earlyMedia"); },
  reject(code = 603) {
    if (!(code >= 400 && code < 700)) throw new RangeError(`reject: ${code} is no status of a refusal, 400 to 699`);
    this[inner].rejected = code | 0;
    ask(this, "reject", code | 0);
  },
  decline(code = 603) { this.reject(code); },

  /** With a peer made by `callUserDirect`: the two talk past the gateway from now on. */
  answerDirect(peer) {
    unit(peer, "answerDirect");
    if (peer[inner].direct !== this) {
      throw new TypeError("answerDirect: that call was not made by callUserDirect for this one");
    }
  },

  handleTones(on) {
    this[inner].tones = on === true;
    ask(this, "handleDigits", this[inner].tones);
  },
  sendDigits(digits) {
    const keys = text(digits);
    if (!/^[0-9*#A-Da-dpP,]*$/.test(keys)) throw new RangeError(`sendDigits: ${keys} has other characters than digits`);
    ask(this, "sendDigits", keys.replace(/[pP,]/g, "").toUpperCase());
  },
  sendInfo(mimeType, body, headers) {
    ask(this, "sendInfo", text(mimeType), part("dialling").flat(headers), text(body));
  },
  hold() { ask(this, "hold", true); },
  unhold() { ask(this, "hold", false); },
  /** The other end is to call a number in our place, or to have the other end of another call. */
  transferTo(target) {
    const other = target instanceof Call ? target[inner] : null;
    const to = other ? (other.incoming ? other.callerid : other.number) : text(target);
    if (!to && !other) throw new TypeError("transferTo: there is nobody to call");
    if (other?.over) throw new TypeError("transferTo: that call is over");
    ask(this, "refer", to, other?.unit.handle ?? 0);
  },

  /** Both sides, in a file of the gateway's. */
  record(given) {
    if (handleOf(this, "record") !== null) part("recorder").recordCall(this, given ?? {});
  },
});
