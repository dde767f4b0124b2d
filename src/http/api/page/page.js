"use strict";
// A form for each operation of openapi.json.

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

const resolved = (api, schema) => {
  const name = schema?.$ref?.split("/").pop();
  return name ? api.components.schemas[name] : schema;
};

const example = (api, schema) => {
  schema = resolved(api, schema) ?? {};
  if (schema.example !== undefined) return schema.example;
  const parts = schema.allOf ?? [];
  if (parts.length) return Object.assign({}, ...parts.map((part) => example(api, part)));
  if (schema.properties) {
    return Object.fromEntries(Object.entries(schema.properties).map(([key, value]) => [key, example(api, value)]));
  }
  const type = [schema.type].flat()[0];
  return { boolean: true, integer: 1, array: [] }[type] ?? "";
};

const send = async (method, path, fields, body, output) => {
  let url = path;
  const query = new URLSearchParams();
  for (const { where, name, input } of fields) {
    if (where === "path") url = url.replace(`{${name}}`, encodeURIComponent(input.value));
    else if (input.value !== "") query.set(name, input.value);
  }
  if (query.size) url += `?${query}`;
  const headers = { Authorization: `Bearer ${document.getElementById("token").value}` };
  if (body) headers["Content-Type"] = "application/json";
  try {
    const response = await fetch(url, { method, headers, body: body?.value });
    output.textContent = `${response.status} ${response.statusText}\n`;
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (let part; reader && !(part = await reader.read()).done; ) output.textContent += part.value;
  } catch (error) {
    output.textContent = String(error);
  }
};

const form = (api, path, method, operation) => {
  const fields = (operation.parameters ?? []).map(({ name, in: where }) => ({ name, where, input: element("input") }));
  const schema = operation.requestBody?.content?.["application/json"]?.schema;
  const body = schema && element("textarea", { rows: 5, value: JSON.stringify(example(api, schema), null, 2) });
  const output = element("pre");
  const button = element("button", { textContent: "Send" });
  button.onclick = () => send(method.toUpperCase(), path, fields, body, output);
  return element(
    "details", {},
    element("summary", {}, element("b", { textContent: method.toUpperCase() }), ` ${path}`),
    element("p", { textContent: operation.summary ?? "" }),
    ...fields.map(({ name, input }) => element("label", {}, `${name} `, input)),
    ...(body ? [body] : []),
    button,
    output,
  );
};

fetch("openapi.json").then((response) => response.json()).then((api) => {
  const operations = document.getElementById("operations");
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) operations.append(form(api, path, method, operation));
  }
});
