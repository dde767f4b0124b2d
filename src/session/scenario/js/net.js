// HTTP requests.

const { watch, extend, text, on } = part("core");
const { octets } = part("texts");
// What is fetched comes as one.
part("typed_arrays");

const MOST_FETCHES = 20;
const fetches = new Map();
let lastFetch = 0;

/** What a request comes to. Its code is below 100 where there is no answer. */
function answer(code, words, octets, list, error) {
  const headers = [];
  for (let at = 0; at + 1 < list.length; at += 2) headers.push({ [list[at]]: list[at + 1] });
  return {
    code, text: words, headers, error: error || undefined,
    raw_headers: headers.map((header) => Object.entries(header)[0].join(": ")).join("\r\n"),
    get data() { return Array.from(octets); },
  };
}

/** Headers as an object, or as a list of lines `Name: value`. */
function sent(headers) {
  if (!Array.isArray(headers)) return part("dialling").flat(headers);
  return headers.flatMap((line) => {
    const colon = text(line).indexOf(":");
    if (colon < 1) throw new TypeError(`httpRequest: ${line} is no header`);
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  });
}

const seconds = (value, most) => Math.min(most, Math.max(1, Number(value) || most));

function request(url, given = {}, done) {
  const { method, postData, headers } = given;
  const body = postData === undefined || postData === null ? null : octets(postData);
  const verb = text(method || (body ? "POST" : "GET")).toUpperCase();
  if (!/^(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)$/.test(verb)) {
    throw new RangeError(`httpRequest: ${verb} is no method`);
  }
  const list = sent(headers);
  if (fetches.size >= MOST_FETCHES) {
    return done(answer(1, "", [], [], `more than ${MOST_FETCHES} requests at once`));
  }
  const id = ++lastFetch;
  fetches.set(id, done);
  host.fetch(id, text(url), verb, list, body, seconds(given.timeout, 90), seconds(given.connectionTimeout, 6));
}

extend(globalThis, {
  Net: watch("Net", {
    httpRequest(url, callback, given) {
      if (typeof callback !== "function") throw new TypeError("httpRequest: the callback is no function");
      request(url, given, callback);
    },
    httpRequestAsync: (url, given) => new Promise((resolve) => request(url, given, resolve)),
  }),
});

extend(on, {
  fetched(id, code, words, octets, list, error) {
    const done = fetches.get(id);
    fetches.delete(id);
    done?.(answer(code, words, octets, list, error));
  },
});
