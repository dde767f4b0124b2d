// What `guards.rs` puts in the place of methods that may loop in the engine's own code, and what it asks about others.

const { SystemSet } = part("core");
const { apply } = Reflect;
const { forEach } = Array.prototype;

function* dropped(items, count) {
  for (const item of items) {
    if (count > 0) count -= 1;
    else yield item;
  }
}

return {
  Array: {
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
  },
  Iterator: {
    drop(count) {
      if (!(Number(count) >= 0)) throw new RangeError("drop: the count is none");
      return dropped(this, Math.trunc(count));
    },
  },

  // Made each time: it takes five kilobytes.
  hasManyMarks: (words) => new RegExp("\\p{M}{5000}", "u").test(words),

  /** Of what only looks like a set nobody knows whether it ends. */
  checkSet(other) {
    if (!(other instanceof SystemSet || other instanceof Map) || Object.hasOwn(other, "keys")) {
      throw new TypeError("this takes a Set or a Map");
    }
  },
};
