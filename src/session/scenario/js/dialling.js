// Calls of ours.

const { extend, SECRET, text, PAGE, Call, last, VoxEngine } = part("core");

/** `X-` headers and what is to be sent with them, as name, value, name, value. */
function flat(headers) {
  const list = [];
  for (const [name, value] of Object.entries(headers ?? {})) list.push(name, text(value));
  return list;
}

/** Old scripts give what a call needs one by one, newer ones in an object. */
function options(args, names) {
  const [first] = args;
  if (typeof first === "object" && first !== null) return first;
  const given = {};
  names.forEach((name, at) => { given[name] = args[at]; });
  return given;
}

/** A call of ours; its number or user is `to`. */
function dial(kind, to, given) {
  const name = text(to);
  if (!name) throw new TypeError("a call needs somebody to call");
  const headers = given.extraHeaders ?? given.headers;
  const callerid = text(given.callerid);
  const displayName = text(given.displayName);
  const call = new Call(SECRET, ++last.call, { number: name, callerid, displayName, state: "CONNECTING" });
  if (kind === "conference") host.join(last.call, name, callerid, displayName, flat(headers));
  else host.dial(last.call, kind, name, callerid, displayName, flat(headers));
  return call;
}

/** A SIP URI's user part: by which way it is reached is for the routes to say. */
function userOf(uri) {
  const parts = /^(?:sips?:)?([^@;?]+)(?:@.*)?$/i.exec(text(uri));
  if (!parts) throw new TypeError(`callSIP: ${text(uri)} is no SIP URI`);
  return parts[1];
}

extend(VoxEngine, {
  callPSTN: (number, ...rest) => {
    const [from, given] = rest;
    return dial("number", number, { ...(typeof from === "object" ? from : { callerid: from }), ...given });
  },
  callUser(...args) {
    const given = options(args, ["username", "callerid", "displayName", "headers"]);
    return dial("user", given.username, given);
  },
  callSIP(uri, ...rest) {
    const [first, displayName, password, authUser, headers] = rest;
    if ((first?.password ?? password) || (first?.authUser ?? authUser)) {
      throw new RangeError(`callSIP: trunks have the passwords, scenarios do not: ${PAGE}`);
    }
    const given = typeof first === "object" && first !== null ? first : { callerid: first, displayName, headers };
    return dial("number", userOf(uri), given);
  },
  callConference(...args) {
    const given = options(args, ["conferenceId", "callerid", "displayName", "headers"]);
    return dial("conference", given.conferenceId, given);
  },
});

return { options, flat };
