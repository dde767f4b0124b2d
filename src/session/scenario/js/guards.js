// The engine asks whether a script is to be stopped in loops and calls of the script. What loops in the engine's own
// code, and may do so for ever, is made to end here.

const { host } = part("base");

/** No array can have so many elements: there is no memory for them. A longer one has holes, or only says so. */
const LONGEST_LIST = 2 ** 24;
/** Comparisons of characters that take the engine some seconds. */
const MOST_COMPARED = 2 ** 34;

const { apply } = Reflect;

function endless(why) {
  host.endless();
  throw new RangeError(why);
}

function finite(list) {
  if (typeof list === "object" && list !== null && list.length > LONGEST_LIST) endless("the list is too long");
}

/** Has `look` see what each of these methods is called on and with, before the engine does. */
function guarded(owner, names, look) {
  for (const name of names.split(" ")) {
    const native = owner[name];
    const { [name]: value } = {
      [name](...given) {
        look(this, given);
        return apply(native, this, given);
      },
    };
    Object.defineProperty(owner, name, { value, writable: true, configurable: true });
  }
}

guarded(
  Array.prototype,
  "fill join toLocaleString reverse sort copyWithin shift unshift slice splice toReversed toSorted toSpliced with",
  finite,
);
guarded(Array.prototype, "concat", (list, others) => {
  finite(list);
  others.forEach(finite);
});
const { forEach } = Array.prototype;
function own(owner, methods) {
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(owner, name, { value, writable: true, configurable: true });
  }
}
own(Array.prototype, {
  flat(depth = 1) {
    const whole = [];
    const add = (list, left) => apply(forEach, list, [(item) => {
      if (left >= 1 && Array.isArray(item)) add(item, left - 1);
      else whole.push(item);
    }]);
    add(this, Number(depth) || 0);
    return whole;
  },
  flatMap(callback, self) {
    const whole = [];
    apply(forEach, this, [(item, at) => {
      const made = apply(callback, self, [item, at, this]);
      if (Array.isArray(made)) apply(forEach, made, [(one) => whole.push(one)]);
      else whole.push(made);
    }]);
    return whole;
  },
});

// These take the time of the one times the other.
guarded(String.prototype, "indexOf lastIndexOf includes split replace replaceAll", (words, [part]) => {
  if (typeof part === "string" && words?.length * part.length > MOST_COMPARED) endless("the texts are too long");
});
const MOST_MARKS = 5000;
let manyMarks;
// Made when it is first needed: it takes five kilobytes.
const marks = () => (manyMarks ??= new RegExp(`\\p{M}{${MOST_MARKS}}`, "u"));
guarded(String.prototype, "normalize", (words) => {
  if (typeof words === "string" && words.length >= MOST_MARKS && marks().test(words)) endless("too many marks follow each other");
});

// Iterators of lists that seem to have no end.
const SystemSet = Set;
globalThis.Set = class Set extends SystemSet {
  constructor(list) {
    super();
    if (list !== undefined && list !== null) for (const item of list) this.add(item);
  }
};
const IteratorMethods = Object.getPrototypeOf(Object.getPrototypeOf([].values()));
for (const name of ["includes", "join"]) delete IteratorMethods[name];
function* dropped(items, count) {
  for (const item of items) {
    if (count > 0) count -= 1;
    else yield item;
  }
}
own(IteratorMethods, {
  drop(count) {
    if (!(Number(count) >= 0)) throw new RangeError("drop: the count is none");
    return dropped(this, Math.trunc(count));
  },
});
// Of what only looks like a set nobody knows whether it ends.
guarded(
  SystemSet.prototype, "union intersection difference symmetricDifference isSubsetOf isSupersetOf isDisjointFrom",
  (_, given) => {
    if (!(given[0] instanceof SystemSet || given[0] instanceof Map) || Object.hasOwn(given[0], "keys")) {
      throw new TypeError("this takes a Set or a Map");
    }
  },
);

return {};
