// Texts and octets, hashes.

const { watch, extend, text } = part("core");

/** A text's octets, or a list of octets as it is. */
function octets(data, encoding = "utf-8") {
  if (typeof data === "string") return host.encode(data, encoding);
  if (Array.isArray(data) || data instanceof Uint8Array) return Array.from(data, (value) => value & 255);
  throw new TypeError("this takes a text or a list of octets");
}

extend(globalThis, {
  CryptoEngine: watch("CryptoEngine", {
    md5: (data) => host.hash("md5", octets(data)),
    sha1: (data) => host.hash("sha1", octets(data)),
    sha256: (data) => host.hash("sha256", octets(data)),
    hmac_sha1: (key, data) => host.hmac("sha1", octets(key), octets(data)),
    hmac_sha256: (key, data) => host.hmac("sha256", octets(key), octets(data)),
  }),
  base64_encode: (data) => host.base64(octets(data)),
  base64_decode: (data) => host.unbase64(text(data)),
  str2bytes: (data, encoding) => host.encode(text(data), encoding ?? "utf-8"),
  bytes2str: (data, encoding) => host.decode(octets(data), encoding ?? "utf-8"),
  hex2bytes: (data) => host.unhex(text(data)),
  bytes2hex: (data, upper = false) => host.hex(octets(data), upper === true),
});

return { octets };
